import { useSignal } from '@preact/signals';
import { iconUrl } from '../platform/config.ts';
import { app } from '../state/app.ts';

/** Angles of the golden ratio: neighbours in number are far apart in colour. */
const TURN = 137.508;

/** An application's icon; its first letter if it has none, in a colour of its own. */
export function Avatar({ name, aid, icon }: { name: string; aid: number; icon: string }) {
  const broken = useSignal(false);
  const url = iconUrl(app().config, icon);
  if (url !== undefined && !broken.value) {
    return (
      <img
        class="avatar"
        src={url}
        alt=""
        loading="lazy"
        onError={() => {
          broken.value = true;
        }}
      />
    );
  }
  return (
    <span class="avatar" aria-hidden="true" style={{ '--hue': String(Math.round((aid * TURN) % 360)) }}>
      {[...name.trim()][0]?.toUpperCase() ?? '?'}
    </span>
  );
}

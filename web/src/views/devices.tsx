import { useSignal } from '@preact/signals';
import type { DeviceInfo } from '../../../lib/device/index.ts';
import { account, type Loaded, useLoaded, useTask } from '../state/account.ts';
import { api, identity } from '../state/app.ts';
import { text } from '../text.ts';
import { Button } from '../ui/button.tsx';
import { Confirm } from '../ui/confirm.tsx';
import { Shown } from '../ui/loaded.tsx';
import { Parts } from '../ui/parts.tsx';
import { dateOf } from '../ui/times.ts';
import { Rename } from './rename.tsx';

const isHere = ({ id }: DeviceInfo) => id === identity.value?.device;
const hereFirst = (a: DeviceInfo, b: DeviceInfo) =>
  Number(isHere(b)) - Number(isHere(a)) || a.name.localeCompare(b.name);

/** What receives. This browser is among them; it is removed by logging out of it. */
export function Devices() {
  const devices = useLoaded(async () => (await api.peek().listDevices()).sort(hereFirst));
  return (
    <>
      <h1 tabIndex={-1}>{text.devices.title}</h1>
      <p class="muted">{text.devices.why}</p>
      <section class="card">
        <Shown of={devices}>
          {(all) => (
            <ul class="things">
              {all.map((device) => (
                <One key={device.id} device={device} onChange={devices.change} />
              ))}
            </ul>
          )}
        </Shown>
      </section>
    </>
  );
}

function One({ device, onChange }: { device: DeviceInfo; onChange: Loaded<unknown>['change'] }) {
  const { id, name, enabled, platform, push, created_at: createdAt } = device;
  const { seen_at: seenAt, push_retired_at: retiredAt } = device;
  const renaming = useSignal(false);
  const toggle = useTask();
  const test = useTask();
  const tested = useSignal(false);
  const here = isHere(device);
  const reached = text.devices.reached[push?.type ?? (platform === 'open' ? 'open' : 'socket')];

  const sendTest = async () => {
    tested.value = false;
    tested.value = await test.run(() => account.peek().testDevice(id));
  };

  return (
    <li>
      <div class="thing">
        <div>
          <p class="strong">
            {name} {here && <span class="badge p1">{text.devices.here}</span>}{' '}
            {!enabled && <span class="badge">{text.devices.off}</span>}
          </p>
          <Parts of={[text.devices.platforms[platform], reached]} />
          <Parts
            of={[
              text.devices.since(dateOf(createdAt)),
              // Noted once a day, which would say of this browser that it was here yesterday.
              here ? undefined : text.devices.seen(dateOf(seenAt)),
            ]}
          />
          {retiredAt !== null && <p class="muted">{text.devices.retired(dateOf(retiredAt))}</p>}
        </div>
      </div>
      {renaming.value ? (
        <Rename
          name={name}
          label={text.devices.nameOf(name)}
          hint={text.login.deviceHint}
          subject={text.devices.name}
          submit={text.devices.save}
          onRename={(wanted) => onChange(() => api.peek().updateDevice(id, { name: wanted }))}
          onEnd={() => {
            renaming.value = false;
          }}
        />
      ) : (
        <div class={here ? 'row' : 'row pairs'}>
          {enabled && (
            <Button kind="quiet" busy={test.busy} label={text.devices.testOf(name)} onClick={sendTest}>
              {text.devices.test}
            </Button>
          )}
          <Button
            kind="quiet"
            label={text.devices.renameOf(name)}
            onClick={() => {
              renaming.value = true;
            }}
          >
            {text.devices.rename}
          </Button>
          <Button
            kind="quiet"
            busy={toggle.busy}
            label={enabled ? text.devices.disableOf(name) : text.devices.enableOf(name)}
            onClick={() =>
              toggle.run(() => onChange(() => api.peek().updateDevice(id, { enabled: !enabled })))
            }
          >
            {enabled ? text.devices.disable : text.devices.enable}
          </Button>
          {!here && (
            <Confirm
              action={text.devices.remove}
              label={text.devices.removeOf(name)}
              title={text.devices.removeTitle(name)}
              why={text.devices.removeWhy}
              onConfirm={() => onChange(() => api.peek().deleteDevice(id))}
            />
          )}
        </div>
      )}
      <p role="status" class="done said">
        {tested.value ? text.devices.tested : ''}
      </p>
      <p role="alert" class="wrong">
        {toggle.wrong || test.wrong}
      </p>
    </li>
  );
}

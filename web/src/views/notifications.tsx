import { useSignal, useSignalEffect } from '@preact/signals';
import { setUpPush } from '../state/session.ts';
import { text } from '../text.ts';
import { Button } from '../ui/button.tsx';

type Permission = NotificationPermission | 'unsupported';

const permissionNow = (): Permission => ('Notification' in window ? Notification.permission : 'unsupported');

/** Asks for the permission when somebody presses the button, and sets up Web Push with it. */
export function NotificationPermissionPart() {
  const permission = useSignal(permissionNow());
  const reachable = useSignal(true);
  const ask = async () => {
    permission.value = await Notification.requestPermission();
  };
  useSignalEffect(() => {
    if (permission.value !== 'granted') return;
    // What fails here is tried again at the next start; until then the user is told what it means.
    setUpPush()
      .catch(() => false)
      .then((now) => {
        reachable.value = now;
      });
  });
  switch (permission.value) {
    case 'granted':
      return (
        <>
          <p class="done">{text.start.allowed}</p>
          {!reachable.value && <p class="muted">{text.start.pushOff}</p>}
        </>
      );
    case 'denied':
      return <p class="note">{text.start.denied}</p>;
    case 'unsupported':
      return <p class="note">{text.start.unsupported}</p>;
    case 'default':
      return (
        <>
          <p>{text.start.notifyWhy}</p>
          <Button kind="primary" onClick={ask}>
            {text.start.allow}
          </Button>
        </>
      );
  }
}

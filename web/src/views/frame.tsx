import { useSignal, useSignalEffect } from '@preact/signals';
import { useId } from 'preact/hooks';
import { tell } from '../platform/bus.ts';
import { hrefOf, route } from '../router.ts';
import { connection, identity } from '../state/app.ts';
import { emergencies } from '../state/messages.ts';
import { text } from '../text.ts';
import { Button } from '../ui/button.tsx';
import { Logo } from '../ui/logo.tsx';
import { Login } from './login.tsx';
import { Messages } from './messages.tsx';
import { PAGES } from './pages.tsx';

/** What is around every page: the menu and the connection; or the login, if nobody is logged in. */
export function Frame() {
  const page = PAGES.find(({ name }) => name === route.value.name);
  useSignalEffect(() => {
    const asking = emergencies.value.length;
    const title = PAGES.find(({ name }) => name === route.value.name)?.title ?? text.nav.messages;
    document.title = `${asking > 0 ? `(${asking}) ` : ''}${title} – ${text.name}`;
  });
  if (!identity.value) return <Login />;
  return (
    <div class="frame">
      <header class="bar">
        <a class="brand" href={hrefOf('')}>
          <Logo size={28} />
          {text.name}
        </a>
        <Menu page={page?.name} />
        <Status />
      </header>
      {page ? (
        <main class="page">
          <page.View />
        </main>
      ) : (
        <Messages />
      )}
    </div>
  );
}

/** The pages; on a narrow screen behind a button, which a press, Escape or going somewhere closes. */
function Menu({ page }: { page: string | undefined }) {
  const open = useSignal(false);
  const id = useId();
  useSignalEffect(() => {
    route.value;
    open.value = false;
  });
  const close = (event: KeyboardEvent) => {
    if (event.key === 'Escape') open.value = false;
  };
  return (
    <>
      <button
        type="button"
        class="button menu"
        aria-expanded={open.value}
        aria-controls={id}
        onKeyDown={close}
        onClick={() => {
          open.value = !open.value;
        }}
      >
        {text.nav.menu}
      </button>
      <nav id={id} class={open.value ? 'shown' : ''} aria-label={text.nav.label} onKeyDown={close}>
        <Item name="" title={text.nav.messages} current={page === undefined} />
        {PAGES.map(({ name, title }) => (
          <Item key={name} name={name} title={title} current={page === name} />
        ))}
      </nav>
    </>
  );
}

function Item({ name, title, current }: { name: string; title: string; current: boolean }) {
  return (
    <a href={hrefOf(name)} aria-current={current ? 'page' : undefined}>
      {title}
    </a>
  );
}

function Status() {
  const now = connection.value;
  return (
    <div class={`status ${now}`}>
      <span role="status">{text.connection[now]}</span>
      {now === 'replaced' && (
        <Button onClick={() => tell({ kind: 'reconnect' })}>{text.connection.reconnect}</Button>
      )}
    </div>
  );
}

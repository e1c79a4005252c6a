/** The start of the app: opens what it stands on, then shows it; listens as long as somebody is logged in. */
import { effect, signal } from '@preact/signals';
import { render } from 'preact';
import { identity, openApp, type StartFailure } from './state/app.ts';
import { startListening } from './state/listening.ts';
import { loadMessages } from './state/messages.ts';
import { followSession, setUpPush } from './state/session.ts';
import { Frame } from './views/frame.tsx';
import { Failed, Loading } from './views/loading.tsx';

const state = signal<'loading' | 'ready' | StartFailure>('loading');

function App() {
  if (state.value === 'loading') return <Loading />;
  if (state.value === 'ready') return <Frame />;
  return <Failed failure={state.value} onRetry={start} />;
}

async function start(): Promise<void> {
  state.value = 'loading';
  const failure = await openApp();
  if (failure) {
    state.value = failure;
    return;
  }
  followSession();
  await loadMessages();
  state.value = 'ready';
  effect(() => {
    if (!identity.value) return undefined;
    // Browsers change subscriptions as they like; what cannot be done now is done at the next start.
    setUpPush().catch((error) => console.warn('Web Push could not be set up', error));
    return startListening();
  });
}

render(<App />, document.getElementById('app')!);
void start();

import type { StartFailure } from '../state/app.ts';
import { text } from '../text.ts';
import { Button } from '../ui/button.tsx';
import { Logo } from '../ui/logo.tsx';

export function Loading() {
  return (
    <main class="lonely">
      <Logo />
      <p role="status" class="muted">
        {text.loading}
      </p>
    </main>
  );
}

export function Failed({ failure, onRetry }: { failure: StartFailure; onRetry(): void }) {
  return (
    <main class="lonely">
      <Logo />
      <h1>{text.failed.title}</h1>
      <p role="alert">{text.failed[failure]}</p>
      <Button kind="primary" onClick={onRetry}>
        {text.failed.retry}
      </Button>
    </main>
  );
}

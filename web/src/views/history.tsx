import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import type { SentInfo } from '../../../lib/device/account-api.ts';
import type { AppInfo } from '../../../lib/device/index.ts';
import { hrefOf, route } from '../router.ts';
import { account, useLoaded, useTask } from '../state/account.ts';
import { api } from '../state/app.ts';
import { text } from '../text.ts';
import { Avatar } from '../ui/avatar.tsx';
import { Button } from '../ui/button.tsx';
import { Shown } from '../ui/loaded.tsx';
import { dayOf, isoTime, timeOf } from '../ui/times.ts';
import { Counts, receiptWords } from './history-states.tsx';
import { SentMessage } from './sent-message.tsx';
import { Usage } from './usage.tsx';

/** What the account's apps have sent and what became of it: all of it, or one message. */
export function History() {
  const { id } = route.value;
  return id === undefined ? <Overview /> : <SentMessage key={id} id={String(id)} />;
}

function Overview() {
  const apps = useLoaded(() => api.peek().listApps());
  const app = useSignal('');
  return (
    <>
      <h1 tabIndex={-1}>{text.history.title}</h1>
      <p class="muted">{text.history.why}</p>
      <Usage />
      <section class="card sent">
        <div class="heading">
          <h2>{text.history.list}</h2>
          <select
            aria-label={text.list.app}
            value={app.value}
            onChange={(event) => {
              app.value = event.currentTarget.value;
            }}
          >
            <option value="">{text.list.allApps}</option>
            {(apps.value.value ?? []).map(({ id, name }) => (
              <option key={id} value={id}>
                {name}
              </option>
            ))}
          </select>
        </div>
        <List key={app.value} app={app.value} icons={iconsOf(apps.value.value)} />
      </section>
    </>
  );
}

/** Icons by the app's id. One that was removed has none, and is its letter. */
const iconsOf = (apps: AppInfo[] = []): Map<string, string> =>
  new Map(apps.map(({ id, icon }) => [id, icon]));

/** The sends, a page, and another page for each time that older ones are asked for. */
function List({ app, icons }: { app: string; icons: Map<string, string> }) {
  const sent = useLoaded(() => account.peek().listSent({ app: app || undefined }));
  const older = useTask();
  const first = useRef<string | undefined>(undefined);
  const list = useRef<HTMLDivElement>(null);
  const all = sent.value.value?.messages.length;

  // The first of what came is in focus: the button that brought it may be gone, or far below.
  useEffect(() => {
    if (first.current === undefined) return;
    list.current?.querySelector<HTMLAnchorElement>(`a[data-id="${first.current}"]`)?.focus();
    first.current = undefined;
  }, [all]);

  const more = () =>
    older.run(async () => {
      const before = sent.value.peek();
      const page = await account.peek().listSent({ after: before?.after, app: app || undefined });
      first.current = page.messages[0]?.id;
      sent.value.value = { ...page, messages: [...(before?.messages ?? []), ...page.messages] };
    });

  return (
    <div ref={list}>
      <Shown of={sent}>
        {({ messages, after }) => (
          <>
            {messages.length === 0 && (
              <p class="muted">{after === undefined ? text.history.none : text.history.noneYet}</p>
            )}
            {byDay(messages).map(({ day, rows }) => (
              <section key={day} aria-label={day}>
                <h3>{day}</h3>
                <ul>
                  {rows.map((one) => (
                    <Row key={one.id} sent={one} icon={icons.get(one.app.id) ?? 'default'} />
                  ))}
                </ul>
              </section>
            ))}
            <p role="alert" class="wrong">
              {older.wrong}
            </p>
            <div class="older">
              {after !== undefined && (
                <Button busy={older.busy} onClick={more}>
                  {text.history.older}
                </Button>
              )}
            </div>
          </>
        )}
      </Shown>
    </div>
  );
}

function Row({ sent, icon }: { sent: SentInfo; icon: string }) {
  const { id, app, priority, received_at: at, users, devices, counts, receipt } = sent;
  return (
    <li class={`message p${priority}`}>
      {/* Another icon is another image, with no memory of the last one. */}
      <Avatar key={icon} name={app.name} aid={Number(app.id)} icon={icon} />
      <a class="open" href={hrefOf('history', Number(id))} data-id={id}>
        <span class="meta">
          <span class="app">{app.name}</span>
          {priority !== 0 && <span class="badge">{text.priorities[String(priority)]}</span>}
          <time dateTime={isoTime(at)}>{timeOf(at)}</time>
        </span>
        <span class="reach">{text.history.reach(users, devices)}</span>
        {receipt && <span class="receipt">{receiptWords(receipt)}</span>}
        {counts && <Counts of={counts} />}
      </a>
    </li>
  );
}

interface Day {
  day: string;
  rows: SentInfo[];
}

/** Neighbours of the same day together. */
function byDay(all: readonly SentInfo[]): Day[] {
  const days: Day[] = [];
  for (const one of all) {
    const day = dayOf(one.received_at);
    const last = days.at(-1);
    if (last?.day === day) last.rows.push(one);
    else days.push({ day, rows: [one] });
  }
  return days;
}

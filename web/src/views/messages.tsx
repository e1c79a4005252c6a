import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { route } from '../router.ts';
import {
  appFilter,
  asks,
  emergencies,
  found,
  isFiltered,
  messages,
  priorityFilter,
  remove,
  search,
  senders,
} from '../state/messages.ts';
import type { ShownMessage } from '../store/e2ee.ts';
import { text } from '../text.ts';
import { Button } from '../ui/button.tsx';
import { dayOf } from '../ui/times.ts';
import { Detail } from './detail.tsx';
import { Row } from './row.tsx';

/** Rows that are made at first, and more each time that their end comes near. */
const CHUNK = 60;

/** The list of messages, and beside it (on a phone: in its place) the one that is selected. */
export function Messages() {
  const { name, id } = route.value;
  const selected = name === 'message' ? id : undefined;
  return (
    <main class={selected === undefined ? 'split' : 'split selected'}>
      <section class="list" aria-label={text.list.label}>
        <Filters />
        <List selected={selected} />
      </section>
      <section class="detail">
        <Detail id={selected} />
      </section>
    </main>
  );
}

function Filters() {
  return (
    <search class="filters">
      <input
        type="search"
        placeholder={text.list.search}
        aria-label={text.list.search}
        value={search.value}
        onInput={(event) => {
          search.value = event.currentTarget.value;
        }}
      />
      <select
        aria-label={text.list.app}
        value={appFilter.value}
        onChange={(event) => {
          appFilter.value = event.currentTarget.value;
        }}
      >
        <option value="">{text.list.allApps}</option>
        {senders.value.map((name) => (
          <option key={name} value={name}>
            {name}
          </option>
        ))}
      </select>
      <select
        aria-label={text.list.priority}
        value={priorityFilter.value}
        onChange={(event) => {
          priorityFilter.value = event.currentTarget.value;
        }}
      >
        <option value="">{text.list.allPriorities}</option>
        {['2', '1', '0', '-1', '-2'].map((priority) => (
          <option key={priority} value={priority}>
            {text.priorities[priority]}
          </option>
        ))}
      </select>
      <p class="count" role="status">
        {messages.value.length > 0 && text.list.count(found.value.length, messages.value.length)}
      </p>
    </search>
  );
}

function List({ selected }: { selected: number | undefined }) {
  const limit = useSignal(CHUNK);
  const end = useRef<HTMLDivElement>(null);
  const all = found.value.filter((one) => !asks(one));
  const more = all.length > limit.value;

  // The observer looks once when it begins, so one that begins anew after each chunk fills a tall window as well.
  useEffect(() => {
    if (!end.current) return undefined;
    const observer = new IntersectionObserver(
      ([entry]) => {
        if (entry?.isIntersecting) limit.value += CHUNK;
      },
      { rootMargin: '1200px' },
    );
    observer.observe(end.current);
    return () => observer.disconnect();
  }, [limit.value, more]);

  if (messages.value.length === 0) return <Empty title={text.list.empty} how={text.list.emptyHow} />;
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: keys of the links in it
    <div class="rows" onKeyDown={onKey}>
      {emergencies.value.length > 0 && (
        <section class="urgent" aria-label={text.list.urgent}>
          <h2>{text.list.urgent}</h2>
          <ul>
            {emergencies.value.map((one) => (
              <Row key={one.id} stored={one} selected={one.id === selected} urgent />
            ))}
          </ul>
        </section>
      )}
      {byDay(all.slice(0, limit.value)).map(({ day, rows }) => (
        <section key={day} aria-label={day}>
          <h2>{day}</h2>
          <ul>
            {rows.map((one) => (
              <Row key={one.id} stored={one} selected={one.id === selected} />
            ))}
          </ul>
        </section>
      ))}
      {more && <div ref={end} class="end" />}
      {all.length === 0 && isFiltered.value && (
        <Empty title={text.list.nothing} how={text.list.nothingHow}>
          <Button onClick={clear}>{text.list.clear}</Button>
        </Empty>
      )}
    </div>
  );
}

function Empty({
  title,
  how,
  children,
}: {
  title: string;
  how: string;
  children?: preact.ComponentChildren;
}) {
  return (
    <div class="empty">
      <p class="strong">{title}</p>
      <p class="muted">{how}</p>
      {children}
    </div>
  );
}

function clear(): void {
  search.value = '';
  appFilter.value = '';
  priorityFilter.value = '';
}

/** Arrow keys, Home and End move among the rows; Delete removes the one in focus. */
function onKey(event: KeyboardEvent & { currentTarget: HTMLElement }): void {
  const rows = [...event.currentTarget.querySelectorAll<HTMLAnchorElement>('a.open')];
  const at = rows.indexOf(document.activeElement as HTMLAnchorElement);
  if (at < 0) return;
  const target = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: rows.length - 1 }[event.key];
  if (target !== undefined) {
    event.preventDefault();
    rows[Math.min(Math.max(target, 0), rows.length - 1)]?.focus();
  } else if (event.key === 'Delete') {
    event.preventDefault();
    (rows[at + 1] ?? rows[at - 1])?.focus();
    void remove(Number(rows[at]?.dataset.id));
  }
}

interface Day {
  day: string;
  rows: ShownMessage[];
}

/** Neighbours of the same day together. What cannot be read has no date, and comes first. */
function byDay(all: readonly ShownMessage[]): Day[] {
  const days: Day[] = [];
  for (const one of all) {
    const day = one.kind === 'message' ? dayOf(one.message.date) : text.list.today;
    const last = days.at(-1);
    if (last?.day === day) last.rows.push(one);
    else days.push({ day, rows: [one] });
  }
  return days;
}

import { useEffect, useRef } from 'preact/hooks';
import type { SentDeviceInfo, SentInfo, SentState } from '../../../lib/device/account-api.ts';
import { hrefOf } from '../router.ts';
import { account, useLoaded, useTask } from '../state/account.ts';
import { identity } from '../state/app.ts';
import { text } from '../text.ts';
import { Button } from '../ui/button.tsx';
import { Shown } from '../ui/loaded.tsx';
import { Parts } from '../ui/parts.tsx';
import { isoTime, timeFrom, wholeTime } from '../ui/times.ts';
import { Counts, receiptWords, StateMark } from './history-states.tsx';

/** What became of a message on each device. */
export function SentMessage({ id }: { id: string }) {
  const title = useRef<HTMLHeadingElement>(null);
  useEffect(() => title.current?.focus(), []);
  const sent = useLoaded(() => account.peek().viewSent(id));
  const more = useTask();
  const again = useTask();

  const goOn = (after: string) =>
    more.run(async () => {
      const before = sent.value.peek()!;
      const page = await account.peek().viewSent(id, after);
      sent.value.value = { ...page, devices: [...before.devices, ...page.devices] };
    });

  return (
    <>
      <p>
        <a href={hrefOf('history')}>{text.history.back}</a>
      </p>
      <h1 ref={title} tabIndex={-1}>
        {sent.value.value ? text.history.from(sent.value.value.message.app.name) : text.history.one}
      </h1>
      <Shown of={sent}>
        {({ message, devices, after }) => (
          <>
            <About message={message} />
            <section class="card sent">
              <div class="heading">
                <h2>{text.history.devices}</h2>
                <Button kind="quiet" busy={again.busy} onClick={() => again.run(sent.reload)}>
                  {text.history.refresh}
                </Button>
              </div>
              <Devices all={devices} accepted={message.received_at} />
              <p role="alert" class="wrong">
                {more.wrong}
              </p>
              {after !== undefined && (
                <Button busy={more.busy} onClick={() => goOn(after)}>
                  {text.history.moreDevices}
                </Button>
              )}
            </section>
          </>
        )}
      </Shown>
    </>
  );
}

function About({ message }: { message: SentInfo }) {
  const { priority, received_at: at, expires_at: end, users, devices, counts, receipt } = message;
  const over = end * 1000 <= Date.now();
  return (
    <section class="card">
      <dl class="facts">
        <dt>{text.history.accepted}</dt>
        <dd>
          <time dateTime={isoTime(at)}>{wholeTime(at)}</time>
        </dd>
        <dt>{text.list.priority}</dt>
        <dd>{text.priorities[String(priority)]}</dd>
        <dt>{text.history.recipients}</dt>
        <dd>{text.history.reach(users, devices)}</dd>
        <dt>{over ? text.history.ended : text.history.ends}</dt>
        <dd>
          <time dateTime={isoTime(end)}>{wholeTime(end)}</time>
        </dd>
        {priority === 2 && (
          <>
            <dt>{text.history.emergency}</dt>
            <dd>{receipt ? receiptWords(receipt, true) : text.history.receipt.forgotten}</dd>
          </>
        )}
        {counts && (
          <>
            <dt>{text.history.now}</dt>
            <dd>
              <Counts of={counts} />
            </dd>
          </>
        )}
      </dl>
    </section>
  );
}

/** Those whose user is known one by one, the own first; the others are a number by their state. */
function Devices({ all, accepted }: { all: SentDeviceInfo[]; accepted: number }) {
  const own = ({ user }: SentDeviceInfo) => user === identity.value?.user;
  const known = all.filter(({ user }) => user !== undefined);
  known.sort(
    (a, b) =>
      Number(own(b)) - Number(own(a)) ||
      a.user!.localeCompare(b.user!) ||
      (a.device ?? '~').localeCompare(b.device ?? '~'),
  );
  const hidden = all.filter(({ user }) => user === undefined);
  if (all.length === 0) return <p class="muted">{text.history.noDevices}</p>;
  return (
    <>
      {known.length > 0 && (
        <ul class="things">
          {known.map((device, at) => (
            <Device key={at} device={device} own={own(device)} accepted={accepted} />
          ))}
        </ul>
      )}
      {hidden.length > 0 && (
        <div class="hidden-members">
          <p>{text.history.hidden(hidden.length)}</p>
          <Counts of={countsOf(hidden)} />
        </div>
      )}
    </>
  );
}

interface DeviceProps {
  device: SentDeviceInfo;
  own: boolean;
  /** When the message was, Unix seconds. */
  accepted: number;
}

function Device({ device, own, accepted }: DeviceProps) {
  const { state, user, device: name, delivered = [], acknowledged_at: stored } = device;
  const took = [...delivered].sort((a, b) => a.at - b.at);
  return (
    <li>
      <div class="thing">
        <StateMark state={state} />
        <div>
          <p class="strong">
            {name ?? text.history.removed} <span class="badge">{text.history.states[state]}</span>
          </p>
          {own ? <p class="muted">{text.history.yours}</p> : <p class="muted mono">{user}</p>}
          <Parts
            of={[
              ...took.map(({ carrier, at }) =>
                text.history.took(text.history.carriers[carrier] ?? carrier, timeFrom(at, accepted)),
              ),
              stored === undefined ? undefined : text.history.stored(timeFrom(stored, accepted)),
              state === 'waiting' ? text.history.untouched : undefined,
            ]}
          />
        </div>
      </div>
    </li>
  );
}

function countsOf(devices: SentDeviceInfo[]): Record<SentState, number> {
  const counts: Record<SentState, number> = { acknowledged: 0, delivered: 0, waiting: 0, expired: 0 };
  for (const { state } of devices) counts[state]++;
  return counts;
}

import type { UsageInfo } from '../../../lib/device/account-api.ts';
import { account, useLoaded } from '../state/account.ts';
import { text } from '../text.ts';
import { Shown } from '../ui/loaded.tsx';
import { ceilingOf } from '../ui/scale.ts';
import { dateOf } from '../ui/times.ts';

const day = new Intl.DateTimeFormat('en', { day: 'numeric', month: 'short', timeZone: 'UTC' });
const number = new Intl.NumberFormat('en');
const dayName = (date: string) => day.format(new Date(`${date}T00:00:00Z`));

/** Users reached, day by day and this month. */
export function Usage() {
  const usage = useLoaded(() => account.peek().usage());
  return (
    <section class="card usage">
      <h2>{text.usage.title}</h2>
      <Shown of={usage}>
        {(known) => (
          <>
            <Month usage={known} />
            {known.days.some(({ users }) => users > 0) ? (
              <Chart days={known.days} />
            ) : (
              <p class="muted">{text.usage.none}</p>
            )}
          </>
        )}
      </Shown>
    </section>
  );
}

/** What this month took, of how much. */
function Month({ usage: { used, limit, remaining, reset } }: { usage: UsageInfo }) {
  if (limit === undefined) return <p>{text.usage.month(number.format(used), used)}</p>;
  const share = Math.min(1, used / limit);
  return (
    <div class="month">
      <p class="strong">{text.usage.quota(number.format(used), number.format(limit))}</p>
      <svg
        class={share >= 0.9 ? 'gauge nearly' : 'gauge'}
        viewBox="0 0 100 1"
        preserveAspectRatio="none"
        aria-hidden="true"
      >
        <rect class="track" width="100" height="1" />
        <rect width={100 * share} height="1" />
      </svg>
      <p class="muted">{text.usage.left(number.format(remaining ?? 0), dateOf(reset))}</p>
    </div>
  );
}

const HEIGHT = 100;
/** Of a day: a bar and what is beside it. */
const STEP = 10;
const GAP = 2.5;

/** A bar a day. Whoever cannot see it, or wants the numbers, opens the table. */
function Chart({ days }: { days: UsageInfo['days'] }) {
  const most = Math.max(...days.map(({ users }) => users));
  const top = ceilingOf(most);
  const sum = days.reduce((total, { users }) => total + users, 0);
  const [first, last] = [days[0]!, days.at(-1)!];
  const best = days.find(({ users }) => users === most)!;
  const summary = text.usage.summary(
    number.format(sum),
    dayName(first.date),
    dayName(last.date),
    number.format(most),
    dayName(best.date),
  );
  return (
    <figure class="chart">
      <div class="plot">
        <span class="scale" aria-hidden="true">
          <span>{number.format(top)}</span>
          <span>{top % 2 === 0 ? number.format(top / 2) : ''}</span>
          <span>0</span>
        </span>
        <svg
          role="img"
          aria-label={summary}
          viewBox={`0 0 ${days.length * STEP} ${HEIGHT}`}
          preserveAspectRatio="none"
        >
          <path class="grid" d={`M0 0H${days.length * STEP}M0 ${HEIGHT / 2}H${days.length * STEP}`} />
          {days.map(({ date, users }, n) => {
            // What is there is seen, however little it is beside the most.
            const height = users === 0 ? 0 : Math.max(2, (HEIGHT * users) / top);
            return (
              <g key={date} class="day">
                <title>{text.usage.day(dayName(date), number.format(users), users)}</title>
                <rect class="column" x={n * STEP} width={STEP} height={HEIGHT} />
                <rect
                  class="bar-of-day"
                  x={n * STEP + GAP / 2}
                  y={HEIGHT - height}
                  width={STEP - GAP}
                  height={height}
                />
              </g>
            );
          })}
          <path class="base" d={`M0 ${HEIGHT}H${days.length * STEP}`} />
        </svg>
        <span class="ends" aria-hidden="true">
          <span>{dayName(first.date)}</span>
          <span>{text.usage.today}</span>
        </span>
      </div>
      <details>
        <summary>{text.usage.table}</summary>
        <table>
          <thead>
            <tr>
              <th scope="col">{text.usage.date}</th>
              <th scope="col">{text.usage.users}</th>
            </tr>
          </thead>
          <tbody>
            {days.toReversed().map(({ date, users }) => (
              <tr key={date}>
                <th scope="row">{dayName(date)}</th>
                <td>{number.format(users)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </details>
    </figure>
  );
}

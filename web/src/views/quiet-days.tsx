import { changeSettings, settings } from '../state/app.ts';
import { text } from '../text.ts';

/** Monday first. */
const WEEK = [1, 2, 3, 4, 5, 6, 0];

/** The days on which quiet hours begin. */
export function QuietDaysPart() {
  const { quietDays } = settings.value;
  const set = (day: number, on: boolean) =>
    changeSettings({ quietDays: on ? [...quietDays, day] : quietDays.filter((one) => one !== day) });
  return (
    <fieldset class="days">
      <legend>{text.settings.quietDays}</legend>
      {WEEK.map((day) => (
        <label key={day} class="day">
          <input
            type="checkbox"
            checked={quietDays.includes(day)}
            onChange={(event) => set(day, event.currentTarget.checked)}
          />
          <span>{text.settings.days[day]}</span>
        </label>
      ))}
    </fieldset>
  );
}

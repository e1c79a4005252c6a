/** What the pages that manage the account ask Peal for. */
import { computed, type Signal, useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { createAccountApi } from '../../../lib/device/account-api.ts';
import { PealError } from '../../../lib/device/index.ts';
import { app, identity } from './app.ts';
import { sentence, sessionEnded } from './session.ts';

/** The managing part of the API in the session of this browser. */
export const account = computed(() =>
  createAccountApi({ url: app().config.api, secret: identity.value?.secret }),
);

/** Something that is asked of Peal: whether it is under way, and what was wrong with it the last time. */
export interface Task {
  busy: boolean;
  /** A sentence for people; empty while nothing is wrong. */
  wrong: string;
  /** What is wrong by the parameter's name, as Peal has it: `{name: 'cannot be blank'}`. */
  fields: Readonly<Record<string, string>>;
  /** Does it, unless it is under way. @returns whether it worked */
  run(work: () => Promise<unknown>): Promise<boolean>;
}

export function useTask(): Task {
  const busy = useSignal(false);
  const wrong = useSignal('');
  const fields = useSignal<Task['fields']>({});
  return {
    busy: busy.value,
    wrong: wrong.value,
    fields: fields.value,
    async run(work) {
      if (busy.peek()) return false;
      busy.value = true;
      wrong.value = '';
      fields.value = {};
      try {
        await work();
        return true;
      } catch (error) {
        if (await leftForLogin(error)) return false;
        if (error instanceof PealError) fields.value = error.fields;
        wrong.value = sentence(error);
        return false;
      } finally {
        busy.value = false;
      }
    },
  };
}

/** What a page shows of the account: undefined until it is there, and kept while it is asked for again. */
export interface Loaded<T> {
  value: Signal<T | undefined>;
  wrong: Signal<string>;
  /** Never rejects: what went wrong is in `wrong`. */
  reload(): Promise<void>;
  /** Changes something, and asks again whether or not that worked: an answer that was lost may have changed it. */
  change(work: () => Promise<unknown>): Promise<void>;
}

/** Asks for what a page shows when the page comes, and whenever it wants it again; of two answers the later asked wins. */
export function useLoaded<T>(load: () => Promise<T>): Loaded<T> {
  const value = useSignal<T | undefined>(undefined);
  const wrong = useSignal('');
  const asked = useRef(0);
  const reload = async () => {
    const turn = ++asked.current;
    try {
      const answer = await load();
      if (turn !== asked.current) return;
      value.value = answer;
      wrong.value = '';
    } catch (error) {
      if (turn !== asked.current || (await leftForLogin(error))) return;
      wrong.value = sentence(error);
    }
  };
  useEffect(() => {
    void reload();
  }, []);
  const change = async (work: () => Promise<unknown>) => {
    try {
      await work();
    } finally {
      await reload();
    }
  };
  return { value, wrong, reload, change };
}

/** Goes to the login if the session is over. A refused device or password says nothing of the session. */
async function leftForLogin(error: unknown): Promise<boolean> {
  const over = error instanceof PealError && 'secret' in error.fields;
  if (over) await sessionEnded();
  return over;
}

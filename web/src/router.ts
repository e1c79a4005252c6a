/** Where in the app we are: the part of the address after `#/`, which no server ever sees. */
import { signal } from '@preact/signals';
import { hear } from './platform/bus.ts';

export type Route = { name: string; id?: number };

/** The present place; the messages if the address says nothing. */
export const route = signal<Route>(read());

addEventListener('hashchange', () => {
  route.value = read();
});

hear((note) => {
  if (note.kind === 'open' && document.visibilityState === 'visible')
    location.hash = hrefOf('message', note.id);
});

export function hrefOf(name: string, id?: number): string {
  return id === undefined ? `#/${name}` : `#/${name}/${id}`;
}

export function go(name: string): void {
  location.hash = hrefOf(name);
}

function read(): Route {
  const [name = '', id] = location.hash.replace(/^#\/?/, '').split('/');
  const number = Number(id);
  return Number.isSafeInteger(number) && number > 0 ? { name, id: number } : { name };
}

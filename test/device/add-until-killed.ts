/** Adds message after message to the store in the folder that it is given, and says each id that is stored. */
import { openFileStore } from '../../lib/device/file-store.ts';
import { newMessage } from './builders.ts';

const [, , folder] = process.argv;
if (import.meta.main && folder) {
  const store = await openFileStore(folder);
  for (let id = 1; id <= 100_000; id++) {
    await store.add([newMessage(id)]);
    process.stdout.write(`${id}\n`);
  }
}

import * as v from 'valibot';
import { APP_ID } from '../../lib/accounts/app-view.ts';
import { MAX_ICON_BYTES, MAX_ICON_PIXELS, MIN_ICON_PIXELS } from '../../lib/media/icon.ts';
import { MAX_SECONDS, NEW_SOUND, SOUND, SOUND_NAME } from '../../lib/media/sound-fields.ts';
import { endpoint, NOTHING } from '../endpoint.ts';

const NO_APP = { 404: 'The account has no such app' };
const UPLOADS = { 429: 'The account has uploaded too much within the hour' };

export const addSound = endpoint({
  method: 'POST',
  path: 'sounds',
  summary: 'Uploads a sound that the account’s apps may name in their messages',
  by: 'session',
  params: NEW_SOUND,
  files: { sound: { description: `MP3, at most ${MAX_SECONDS} seconds`, maxBytes: 500 * 1024 } },
  answer: SOUND,
  errors: UPLOADS,
});

export const ownSounds = endpoint({
  method: 'GET',
  path: 'account/sounds',
  summary: 'Lists the sounds that the account has uploaded',
  by: 'session',
  params: v.object({}),
  answer: v.object({ sounds: v.array(SOUND) }),
});

export const deleteSound = endpoint({
  method: 'POST',
  path: 'sounds/{name}/delete',
  summary: 'Deletes a sound that the account has uploaded',
  by: 'session',
  params: v.object({}),
  answer: NOTHING,
  segments: { name: SOUND_NAME },
});

export const setIcon = endpoint({
  method: 'POST',
  path: 'apps/{id}/icon',
  summary: 'Gives an app an icon',
  description:
    'Peal decodes no pictures: the client makes the icon. ImageMagick, for one, makes it of any picture by ' +
    '`convert picture.jpg -resize 144x144 -background none -gravity center -extent 144x144 -strip icon.png`.',
  by: 'session',
  params: v.object({}),
  files: {
    icon: {
      description: `PNG, square, of ${MIN_ICON_PIXELS} to ${MAX_ICON_PIXELS} pixels`,
      maxBytes: MAX_ICON_BYTES,
    },
  },
  answer: v.object({ icon: v.pipe(v.string(), v.description('Its name: `/icons/{icon}.png`')) }),
  segments: { id: APP_ID },
  errors: { ...NO_APP, ...UPLOADS },
});

export const deleteIcon = endpoint({
  method: 'POST',
  path: 'apps/{id}/icon/delete',
  summary: 'Gives an app the default icon again',
  by: 'session',
  params: v.object({}),
  answer: NOTHING,
  segments: { id: APP_ID },
  errors: NO_APP,
});

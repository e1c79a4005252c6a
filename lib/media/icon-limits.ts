/** Width and height of an icon, in pixels (Pushover's). */
export const ICON_PIXELS = 72;

/** Widest and highest picture that is made an icon of: 16 MiB of pixels. */
export const MAX_PIXELS = 2048;

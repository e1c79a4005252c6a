/** Makes an app's icon of a picture, as the server takes it: it decodes none itself. */

/** Widths that are tried, in pixels: the largest whose file is small enough. */
const SIDES = [256, 192, 144, 96, 72];
/** Largest icon that the server takes, in bytes. 72 × 72 pixels fit even where they cannot be compressed. */
const MAX_BYTES = 64 * 1024;

/** The picture cannot be decoded by this browser. */
export class UnreadablePicture extends Error {}

/**
 * Makes a square PNG with the whole picture in its middle, transparent where that does not reach.
 *
 * @throws UnreadablePicture
 */
export async function makeIcon(file: Blob): Promise<Blob> {
  const address = URL.createObjectURL(file);
  try {
    const image = new Image();
    image.src = address;
    await image.decode().catch(() => {
      throw new UnreadablePicture();
    });
    for (const side of SIDES) {
      const icon = await draw(image, side);
      if (icon.size <= MAX_BYTES) return icon;
    }
    throw new UnreadablePicture();
  } finally {
    URL.revokeObjectURL(address);
  }
}

async function draw(image: HTMLImageElement, side: number): Promise<Blob> {
  const { naturalWidth, naturalHeight } = image;
  const canvas = document.createElement('canvas');
  canvas.width = side;
  canvas.height = side;
  const pen = canvas.getContext('2d');
  // A vector picture may have no size of its own.
  if (!pen || naturalWidth === 0 || naturalHeight === 0) throw new UnreadablePicture();
  const scale = side / Math.max(naturalWidth, naturalHeight);
  const [width, height] = [naturalWidth * scale, naturalHeight * scale];
  pen.imageSmoothingQuality = 'high';
  pen.drawImage(image, (side - width) / 2, (side - height) / 2, width, height);
  return new Promise((resolve, reject) => {
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new UnreadablePicture())), 'image/png');
  });
}

import { createMp3Encoder } from 'wasm-media-encoders';
import { RATE, type Samples } from './synth.ts';

/** Kilobits a second: plain enough for a bell at this rate of samples. */
const BITRATE = 48;

/** Encodes one channel as MP3, with LAME compiled to WebAssembly: a tool, of which nothing is shipped but its output. */
export async function encodeMp3(samples: Samples): Promise<Buffer> {
  const encoder = await createMp3Encoder();
  encoder.configure({ sampleRate: RATE, outputSampleRate: RATE, channels: 1, bitrate: BITRATE });
  // The encoder owns what it returns, so it is copied at once.
  const body = Buffer.from(encoder.encode([samples]));
  return Buffer.concat([body, Buffer.from(encoder.finalize())]);
}

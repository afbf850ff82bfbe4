import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { initWasm, Resvg } from '@resvg/resvg-wasm';

/** Pixels for each of the drawing's: sharp in print at half a page's width. */
const SCALE = 2.5;

/** Draws SVG pictures as PNG. Font and drawing code ship with dse, so that a picture is the same on every machine, also on one without fonts. */
export async function createPngDrawer(): Promise<(svg: string) => Uint8Array> {
  const fonts = path.join(path.dirname(fileURLToPath(import.meta.resolve('dejavu-fonts-ttf/package.json'))), 'ttf');
  const [wasm, regular, bold] = await Promise.all([
    readFile(fileURLToPath(import.meta.resolve('@resvg/resvg-wasm/index_bg.wasm'))),
    readFile(path.join(fonts, 'DejaVuSansCondensed.ttf')),
    readFile(path.join(fonts, 'DejaVuSansCondensed-Bold.ttf')),
  ]);
  await initWasm(wasm);
  return (svg) => {
    const drawing = new Resvg(svg, {
      fitTo: { mode: 'zoom', value: SCALE },
      font: { fontBuffers: [regular, bold], defaultFontFamily: 'DejaVu Sans Condensed' },
    });
    return drawing.render().asPng();
  };
}

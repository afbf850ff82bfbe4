import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { EngineSettings } from '../../src/engine/types.ts';
import { GraphBuilder } from '../../src/models/graph-builder.ts';
import { writeOnnx } from '../../src/models/onnx-file.ts';
import type { DataType } from '../../src/models/types.ts';

export const plainSettings: EngineSettings = {
  intraOpThreads: 1,
  interOpThreads: 1,
  executionMode: 'sequential',
  graphOptimization: 'all',
  spinning: false,
};

export const allTypes: readonly DataType[] = [
  'float32',
  'float64',
  'float16',
  'int8',
  'int16',
  'int32',
  'int64',
  'uint8',
  'uint16',
  'uint32',
  'uint64',
  'bool',
  'string',
];

/** A temporary folder with small ONNX files whose answers are known beforehand. */
export class TinyModels implements Disposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'dse-tiny-'));

  /** `sum = a + b`, both float32 [n, 3]. */
  add(): string {
    const graph = new GraphBuilder('add');
    const inputs = ['a', 'b'].map((name) => graph.input(name, 'float32', ['n', 3]));
    graph.node('Add', 'add', inputs, {}, 'sum');
    graph.output('sum', 'float32', ['n', 3]);
    return this.#write('add', graph);
  }

  /** `quotient = a / b` and `copy = a`, float32 [n]: gives NaN and infinities when asked to. */
  divide(): string {
    const graph = new GraphBuilder('divide');
    const inputs = ['a', 'b'].map((name) => graph.input(name, 'float32', ['n']));
    graph.node('Div', 'divide', inputs, {}, 'quotient');
    graph.node('Identity', 'identity', ['a'], {}, 'copy');
    graph.output('quotient', 'float32', ['n']);
    graph.output('copy', 'float32', ['n']);
    return this.#write('divide', graph);
  }

  /** Copies one tensor [n, 2] of every element type: input `in_int8` to output `out_int8`, and so on. */
  everyType(): string {
    const graph = new GraphBuilder('every-type');
    for (const type of allTypes) {
      graph.node('Identity', `copy_${type}`, [graph.input(`in_${type}`, type, ['n', 2])], {}, `out_${type}`);
      graph.output(`out_${type}`, type, ['n', 2]);
    }
    return this.#write('every-type', graph);
  }

  /** Multiplies the square float32 matrix `a` [n, n] with itself eight times: as slow as its size asks for. */
  slow(): string {
    const graph = new GraphBuilder('slow');
    let last = graph.input('a', 'float32', ['n', 'n']);
    for (let i = 0; i < 8; i++) last = graph.node('MatMul', `multiply_${i}`, [last, 'a']);
    graph.node('ReduceMean', 'mean', [last], { keepdims: 1 }, 'mean');
    graph.output('mean', 'float32', [1, 1]);
    return this.#write('slow', graph);
  }

  /** `sum = a + table[index]`, float32 [n, 3] and int64 [1]; every row of the table is 1. The table is of so many bytes, which stay in memory while it is loaded. */
  heavy(bytes: number): string {
    const graph = new GraphBuilder('heavy');
    const rows = Math.round(bytes / 12);
    const table = graph.floats('table', [rows, 3], new Float32Array(3 * rows).fill(1));
    const row = graph.node('Gather', 'row', [table, graph.input('index', 'int64', [1])], { axis: 0 });
    graph.node('Add', 'add', [graph.input('a', 'float32', ['n', 3]), row], {}, 'sum');
    graph.output('sum', 'float32', ['n', 3]);
    return this.#write('heavy', graph);
  }

  /** Gives back the 2 x 2 pixels of an image in three planes as 12 scores: float32 [n, 3, 2, 2] to [n, 12]. */
  pixels(): string {
    const graph = new GraphBuilder('pixels');
    graph.node('Flatten', 'flatten', [graph.input('image', 'float32', ['n', 3, 2, 2])], { axis: 1 }, 'scores');
    graph.output('scores', 'float32', ['n', 12]);
    return this.#write('pixels', graph);
  }

  file(name: string, content: string): string {
    const path = join(this.folder, name);
    writeFileSync(path, content);
    return path;
  }

  #write(name: string, graph: GraphBuilder): string {
    const path = join(this.folder, `${name}.onnx`);
    writeFileSync(path, writeOnnx(graph.build({})));
    return path;
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

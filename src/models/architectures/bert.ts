import { GraphBuilder } from '../graph-builder.ts';
import { metadataKeys } from '../metadata.ts';
import type { ModelProto } from '../onnx-schema.ts';
import { drawWeights } from '../synthetic-weights.ts';

/** Sizes of a BERT: layers, width of a token, attention heads, width inside the feed-forward part. */
export interface BertForm {
  readonly name: string;
  readonly layers: number;
  readonly width: number;
  readonly heads: number;
  readonly inner: number;
}

const VOCABULARY = 30_522;
const POSITIONS = 512;
const SEGMENTS = 2;
/** Tokens of a text where nothing else is asked for. */
const TOKENS = 128;

/** 22,713,216 parameters. Source: Wang et al., arXiv 2002.10957, in the form of `MiniLM-L6-H384-uncased`. */
export const miniLmL6: BertForm = { name: 'minilm-l6', layers: 6, width: 384, heads: 12, inner: 1536 };

/** 4,385,920 parameters. Source: Turc et al., arXiv 1908.08962, the smallest of its miniatures. */
export const bertTiny: BertForm = { name: 'bert-tiny', layers: 2, width: 128, heads: 2, inner: 512 };

/**
 * A BERT encoder with its pooler over texts of up to 512 tokens, 128 where nothing else is asked for: token ids, attention mask and segment ids in, one vector a text out.
 *
 * Source: Devlin et al., arXiv 1810.04805, in the form of Hugging Face's `BertModel`, whose module names it uses.
 */
export function buildBert(form: BertForm, seed: number): ModelProto {
  const graph = new GraphBuilder(form.name);
  const [ids = '', mask = '', segments = ''] = ['input_ids', 'attention_mask', 'token_type_ids'].map((name) =>
    graph.input(name, 'int64', ['batch', 'sequence']),
  );
  const layers = new TextLayers(graph, form, seed);
  let x = layers.embed(ids, segments);
  const bias = layers.maskBias(mask);
  for (let layer = 0; layer < form.layers; layer++) x = layers.encode(`encoder.layer.${layer}`, x, bias);
  layers.pool(x, 'pooled');
  graph.output('pooled', 'float32', ['batch', form.width]);
  return graph.build({
    [metadataKeys.syntheticWeights]: 'true',
    [metadataKeys.seed]: String(seed),
    [metadataKeys.sequenceLength]: String(TOKENS),
    [metadataKeys.longestSequence]: String(POSITIONS),
  });
}

class TextLayers {
  readonly graph: GraphBuilder;
  readonly form: BertForm;
  readonly seed: number;

  constructor(graph: GraphBuilder, form: BertForm, seed: number) {
    this.graph = graph;
    this.form = form;
    this.seed = seed;
  }

  /** Sums of what stands for the token, its place and its segment, normalised: [batch, tokens, width]. */
  embed(ids: string, segments: string): string {
    const { graph } = this;
    const table = (name: string, rows: number) =>
      this.#drawn(`embeddings.${name}_embeddings.weight`, [rows, this.form.width], 0, 0.5);
    const look = (name: string, rows: number, indices: string) =>
      graph.node('Gather', `embeddings.${name}`, [table(name, rows), indices], { axis: 0 });
    const word = look('word', VOCABULARY, ids);
    const length = graph.node('Shape', 'embeddings.length', [ids], { start: 1, end: 2 });
    const bounds = [graph.integers('embeddings.start', [0]), length, graph.integers('embeddings.axis', [0])];
    const position = graph.node('Slice', 'embeddings.position', [table('position', POSITIONS), ...bounds]);
    const segment = look('token_type', SEGMENTS, segments);
    const sum = graph.node('Add', 'embeddings.add', [graph.node('Add', 'embeddings.words', [word, segment]), position]);
    return this.#normalize('embeddings.LayerNorm', sum);
  }

  /** 0 where a token counts and -10000 where it does not, as [batch, 1, 1, tokens]. */
  maskBias(mask: string): string {
    const { graph } = this;
    const wide = graph.node('Unsqueeze', 'mask.wide', [mask, graph.integers('mask.axes', [1, 2])]);
    const float = graph.node('Cast', 'mask.float', [wide], { to: 1 });
    const absent = graph.node('Sub', 'mask.absent', [this.#scalar('mask.one', 1), float]);
    return graph.node('Mul', 'mask.bias', [absent, this.#scalar('mask.far', -10_000)]);
  }

  encode(name: string, input: string, bias: string): string {
    const { graph, form } = this;
    const attended = this.#attend(`${name}.attention`, input, bias);
    const first = graph.node('Add', `${name}.attention.add`, [attended, input]);
    const middle = this.#normalize(`${name}.attention.output.LayerNorm`, first);
    const wide = this.#gelu(`${name}.gelu`, this.#linear(`${name}.intermediate.dense`, middle, form.width, form.inner));
    const narrow = this.#linear(`${name}.output.dense`, wide, form.inner, form.width);
    return this.#normalize(`${name}.output.LayerNorm`, graph.node('Add', `${name}.add`, [narrow, middle]));
  }

  /** The first token's vector through one more layer. */
  pool(input: string, output: string): void {
    const { graph, form } = this;
    const first = graph.node('Gather', 'pooler.first', [input, graph.integers('pooler.index', [0])], { axis: 1 });
    const flat = graph.node('Flatten', 'pooler.flat', [first], { axis: 1 });
    graph.node('Tanh', 'pooler.tanh', [this.#linear('pooler.dense', flat, form.width, form.width)], {}, output);
  }

  #attend(name: string, input: string, bias: string): string {
    const { graph, form } = this;
    const { width, heads } = form;
    const headed = (part: string, order: readonly number[]) => {
      const flat = this.#linear(`${name}.self.${part}`, input, width, width);
      const shape = graph.integers(`${name}.${part}.shape`, [0, 0, heads, width / heads]);
      const split = graph.node('Reshape', `${name}.${part}.heads`, [flat, shape]);
      return graph.node('Transpose', `${name}.${part}.turned`, [split], { perm: order });
    };
    const query = headed('query', [0, 2, 1, 3]);
    const key = headed('key', [0, 2, 3, 1]);
    const value = headed('value', [0, 2, 1, 3]);
    const products = graph.node('MatMul', `${name}.scores`, [query, key]);
    const scaled = graph.node('Mul', `${name}.scaled`, [
      products,
      this.#scalar(`${name}.scale`, Math.sqrt(heads / width)),
    ]);
    const weights = graph.node('Softmax', `${name}.softmax`, [graph.node('Add', `${name}.masked`, [scaled, bias])], {
      axis: -1,
    });
    const mixed = graph.node('MatMul', `${name}.context`, [weights, value]);
    const turned = graph.node('Transpose', `${name}.context.turned`, [mixed], { perm: [0, 2, 1, 3] });
    const flat = graph.node('Reshape', `${name}.context.flat`, [
      turned,
      graph.integers(`${name}.shape`, [0, 0, width]),
    ]);
    return this.#linear(`${name}.output.dense`, flat, width, width);
  }

  /** x * (1 + erf(x / sqrt 2)) / 2. Source: Hendrycks and Gimpel, arXiv 1606.08415. */
  #gelu(name: string, input: string): string {
    const { graph } = this;
    const erf = graph.node('Erf', `${name}.erf`, [
      graph.node('Div', `${name}.div`, [input, this.#scalar(`${name}.root`, Math.SQRT2)]),
    ]);
    const sum = graph.node('Add', `${name}.sum`, [erf, this.#scalar(`${name}.one`, 1)]);
    const product = graph.node('Mul', `${name}.product`, [input, sum]);
    return graph.node('Mul', name, [product, this.#scalar(`${name}.half`, 0.5)]);
  }

  #linear(name: string, input: string, from: number, to: number): string {
    const weight = this.#drawn(`${name}.weight`, [from, to], 0, Math.sqrt(1 / from));
    const product = this.graph.node('MatMul', `${name}.product`, [input, weight]);
    return this.graph.node('Add', name, [product, this.#drawn(`${name}.bias`, [to], 0, 0.01)]);
  }

  #normalize(name: string, input: string): string {
    const shape = [this.form.width];
    const parameters = [this.#drawn(`${name}.weight`, shape, 1, 0.05), this.#drawn(`${name}.bias`, shape, 0, 0.05)];
    return this.graph.node('LayerNormalization', name, [input, ...parameters], { axis: -1, epsilon: { float: 1e-12 } });
  }

  #scalar(name: string, value: number): string {
    return this.graph.floats(name, [], Float32Array.of(value));
  }

  #drawn(name: string, shape: readonly number[], mean: number, sd: number): string {
    const count = shape.reduce((product, size) => product * size, 1);
    return this.graph.floats(name, shape, drawWeights(this.seed, name, count, mean, sd));
  }
}

import type { TensorSpec } from '../models/types.ts';
import { wireTypeOf } from './datatypes.ts';
import { KserveError, quote } from './kserve-error.ts';
import type { TensorHeader } from './tensor-list.ts';
import type { Parameters } from './types.ts';

/**
 * Checks that a request names every input of the model once, and nothing else, with its datatype and a shape it takes.
 * @throws KserveError with status 400
 */
export function checkInputs(headers: readonly TensorHeader[], inputs: readonly TensorSpec[]): void {
  const seen = new Set<string>();
  for (const header of headers) {
    const spec = inputs.find(({ name }) => name === header.name);
    if (spec === undefined) {
      throw new KserveError(400, `the model has no ${header.label}; its inputs are ${listNames(inputs)}`);
    }
    if (seen.has(header.name)) throw new KserveError(400, `${header.label} is given twice`);
    seen.add(header.name);
    checkAgainstSpec(header, spec);
  }
  const missing = inputs.filter(({ name }) => !seen.has(name));
  if (missing.length > 0) throw new KserveError(400, `the request lacks the input ${listNames(missing)}`);
}

/** Checks that an output asked for is one of the model's and was not asked for before; adds it to `seen`. */
export function checkRequestedOutput(name: string, seen: Set<string>, available: readonly TensorSpec[]): void {
  if (!available.some((output) => output.name === name)) {
    throw new KserveError(400, `the model has no output ${quote(name)}; its outputs are ${listNames(available)}`);
  }
  if (seen.has(name)) throw new KserveError(400, `requested output ${quote(name)} is asked for twice`);
  seen.add(name);
}

/** Parameters of a requested output that change what is sent back, in extensions of Triton's that this server has not: whoever sets one cannot read a plain tensor in its place. */
const OTHER_FORMS = ['classification', 'shared_memory_region'] as const;

/** Refuses an output that is asked for in a form there is not, instead of sending it in another. */
export function checkOutputForm(name: string, parameters: Parameters): void {
  const other = OTHER_FORMS.find((key) => parameters[key] !== undefined && parameters[key] !== 0);
  if (other === undefined) return;
  throw new KserveError(
    400,
    `requested output ${quote(name)} has the parameter "${other}", an extension that this server does not have`,
  );
}

function checkAgainstSpec({ label, type, shape }: TensorHeader, spec: TensorSpec): void {
  if (type !== spec.type) {
    throw new KserveError(
      400,
      `${label} has the datatype ${wireTypeOf(type).name}, but the model takes ${wireTypeOf(spec.type).name}`,
    );
  }
  // The runtime reports a scalar and an input of unknown rank alike, as a shape without dimensions: it alone can tell.
  if (spec.shape.length === 0) return;
  const fits =
    shape.length === spec.shape.length &&
    spec.shape.every((dim, axis) => typeof dim === 'string' || dim === shape[axis]);
  if (!fits) {
    throw new KserveError(400, `${label} has the shape ${quote(shape)}, but the model takes ${writeShape(spec.shape)}`);
  }
}

/** A model's shape as the protocol writes it: an open dimension is -1. */
export function writeShape(shape: TensorSpec['shape']): string {
  return `[${shape.map((dim) => (typeof dim === 'number' ? dim : -1))}]`;
}

function listNames(specs: readonly TensorSpec[]): string {
  return specs.map(({ name }) => quote(name)).join(', ');
}

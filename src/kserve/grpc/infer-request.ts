import type { NamedTensor } from '../../models/types.ts';
import { type Allocate, decodeBinaryTensor, encodeBinaryTensor } from '../binary-tensor.ts';
import { checkInputs, checkOutputForm, checkRequestedOutput } from '../check-inputs.ts';
import { wireTypeOf } from '../datatypes.ts';
import { type InferRequestOptions, type ModelSignature, wantedOutputs } from '../infer-request.ts';
import { KserveError } from '../kserve-error.ts';
import { readTensorHeader, type TensorHeader } from '../tensor-list.ts';
import type { InferRequest, Parameters } from '../types.ts';
import { decodeContents } from './contents.ts';
import type { InferParameter, ModelInferRequestMessage, ParameterMap, TensorMessage } from './messages.ts';

/** A ModelInferRequest that carries every tensor as raw bytes. */
export function encodeGrpcInferRequest(
  modelName: string,
  tensors: readonly NamedTensor[],
  options: InferRequestOptions = {},
): ModelInferRequestMessage {
  return {
    model_name: modelName,
    model_version: '',
    id: options.id ?? '',
    inputs: tensors.map(({ name, type, shape }) => ({ name, datatype: wireTypeOf(type).name, shape })),
    outputs: (options.outputs ?? []).map((name) => ({ name })),
    raw_input_contents: tensors.map(({ data }) => encodeBinaryTensor(data)),
  };
}

/**
 * Checks a ModelInferRequest against the model, as `decodeInferRequest` does for REST.
 *
 * Outputs are to be sent the way the inputs came: as bytes where they came raw, and else as typed contents.
 * @param allocate - memory for raw contents, which seldom lie aligned in a message
 * @throws KserveError with status 400 and one sentence on what is wrong
 */
export function decodeGrpcInferRequest(
  message: ModelInferRequestMessage,
  model: ModelSignature,
  allocate?: Allocate,
): InferRequest {
  const { inputs, raw_input_contents: raw } = message;
  const isRaw = raw.length > 0;
  if (isRaw && raw.length !== inputs.length) {
    throw new KserveError(
      400,
      `the request has ${inputs.length} inputs and ${raw.length} raw_input_contents; every input has one, or none has`,
    );
  }
  const headers = inputs.map((tensor, index) => readHeader(tensor, raw[index], index));
  checkInputs(headers, model.inputs);
  const byName = new Map(headers.map((header, index) => [header.name, { header, index }]));
  const tensors = model.inputs.map(({ name }): NamedTensor => {
    const { header, index } = byName.get(name) as { header: TensorHeader; index: number };
    const { type, shape, count, label } = header;
    const bytes = raw[index] as Uint8Array<ArrayBuffer> | undefined;
    const data =
      bytes === undefined
        ? decodeContents(type, shape, inputs[index]?.contents ?? {}, label)
        : decodeBinaryTensor(type, count, bytes, label, allocate);
    return { name, type, shape, data };
  });
  const seen = new Set<string>();
  for (const { name, parameters } of message.outputs) {
    checkRequestedOutput(name, seen, model.outputs);
    checkOutputForm(name, readParameterMap(parameters));
  }
  const outputs = message.outputs.length > 0 ? message.outputs : model.outputs;
  return {
    id: message.id === '' ? undefined : message.id,
    parameters: readParameterMap(message.parameters),
    tensors,
    ...wantedOutputs(outputs, isRaw),
  };
}

/** What a message says of a tensor, held to the same rules as the JSON of REST. */
export function readHeader(
  { name, datatype, shape, contents }: TensorMessage,
  raw: Uint8Array | undefined,
  index: number,
  what: 'input' | 'output' = 'input',
): TensorHeader {
  if (raw !== undefined && contents) {
    throw new KserveError(400, `${what} ${index} has both typed contents and raw_${what}_contents`);
  }
  const data = raw === undefined ? { data: [] } : { parameters: { binary_data_size: raw.byteLength } };
  return readTensorHeader({ name, datatype, shape: shape.map(Number), ...data }, what, index);
}

function readParameterMap(parameters: ParameterMap = {}): Parameters {
  return Object.fromEntries(Object.entries(parameters).map(([key, parameter]) => [key, readParameter(parameter)]));
}

function readParameter(parameter: InferParameter): unknown {
  switch (parameter.parameter_choice) {
    case 'int64_param':
      return Number(parameter.int64_param);
    case 'uint64_param':
      return Number(parameter.uint64_param);
    case 'bool_param':
      return parameter.bool_param;
    case 'string_param':
      return parameter.string_param;
    case 'double_param':
      return parameter.double_param;
    default:
      return undefined;
  }
}

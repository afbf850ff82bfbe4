import { basename } from 'node:path';
import { runCommand, serverImageTag } from '../launch/index.ts';
import { catalogue, remoteModels } from '../models/index.ts';
import type { ContainerDeployment } from '../report/index.ts';
import { limitsOf, serverSettingsOf } from '../run/index.ts';
import { quoteForShell } from '../shell-quote.ts';
import type { Level } from '../spec/index.ts';
import type { Manifest } from '../store/index.ts';

/** Where `dse serve` listens too. */
const PORT = 8080;
const GRPC_PORT = 9000;
/** Folder of the models, under the one that the command is run in. */
const MODELS_FOLDER = 'models';

/**
 * The commands that serve a configuration of dse's own server in a container: in Podman where it was measured there, else in Docker.
 *
 * @param levels - every factor's, fixed ones included
 */
export function describeContainer(
  levels: Readonly<Record<string, Level>>,
  { spec: { server }, models }: Manifest,
): ContainerDeployment {
  const { image, baseImage, context, network = 'host', engineArgs = [] } = server.container ?? {};
  const engine = server.engine === 'podman' ? 'podman' : 'docker';
  const [model, variant] = [String(levels.model?.value), String(levels.variant?.value ?? 'fp32')];
  const known = models.find((one) => one.name === model && one.variant === variant);
  const served = { name: model, file: fileOf(model, variant), image: imageOf(model) };
  const settings = serverSettingsOf(levels, served);
  const run = runCommand(
    { ...settings, port: PORT, ...(settings.grpcPort !== undefined && { grpcPort: GRPC_PORT }) },
    limitsOf(levels, server.cpuset),
    {
      engine,
      context,
      image: image ?? serverImageTag(baseImage),
      modelsFolder: MODELS_FOLDER,
      engineArgs,
    },
  );
  const isPublished = server.engine !== 'native' && network === 'published';
  return {
    build: image === undefined ? buildCommand(engine, context, baseImage) : undefined,
    run,
    notes: [
      `The container reads ${MODELS_FOLDER}/${served.file} of the folder it is started in: the file that \`dse models inspect ${quoteForShell(model)} --variant ${quoteForShell(variant)}\` names${known === undefined ? '' : `, SHA-256 ${known.digest}`}, with any file of weights beside it, readable by all.`,
      ...(isPublished
        ? []
        : [
            `It was measured ${server.engine === 'native' ? 'outside a container' : "over the host's own network"}; a published port adds address translation to every latency.`,
          ]),
    ],
  };
}

function buildCommand(engine: string, context: string | undefined, baseImage: string | undefined): string {
  return [
    `dse image build --engine ${engine}`,
    ...(context === undefined ? [] : [`--context ${quoteForShell(context)}`]),
    ...(baseImage === undefined ? [] : [`--base ${quoteForShell(baseImage)}`]),
  ].join(' ');
}

function fileOf(model: string, variant: string): string {
  return `${basename(model, '.onnx')}${variant === 'fp32' ? '' : `-${variant}`}.onnx`;
}

/** How images become the model's input, where dse's catalogue knows it; else the server reads it beside the file. */
function imageOf(model: string) {
  return catalogue[model]?.image ?? remoteModels()[model]?.image;
}

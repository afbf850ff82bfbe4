import { z } from 'zod';
import { choice, text } from './values.ts';

/**
 * A file that describes a server other than dse's own, as under configs/servers/. The one place for its keys and their meaning; the JSON Schema for editors is generated from it.
 *
 * What takes more than one key to judge, such as a placeholder that stands for nothing, is checked in `server-file.ts`.
 */

const NAME = 'a short name, e.g. triton';
const INSIDE = 'an absolute path inside the container, e.g. /models';
const RELATIVE = 'a path below `models.at` without "..", e.g. {model}/1/model.onnx';
const PORT = 'a port from 1 to 65535, e.g. 8000';
const SCALAR = 'what the server is to be told instead, e.g. 1';

const insidePath = () => z.string({ error: INSIDE }).regex(/^\/(?!.*(^|\/)\.\.(\/|$))/, { error: INSIDE });

const layoutFileSchema = z.strictObject(
  {
    path: z
      .string({ error: RELATIVE })
      .regex(/^(?!\/)(?!.*(^|\/)\.\.(\/|$))./, { error: RELATIVE })
      .describe('Where it lies, below `models.at`.'),
    from: choice(['onnx', 'saved-model'])
      .describe(
        'The model itself: its ONNX file, with the files its weights stand in beside it, or the SavedModel folder NAME.saved_model beside NAME.onnx, which dse cannot make.',
      )
      .optional(),
    text: z.string({ error: 'text' }).describe('The text of the file, placeholders in it replaced.').optional(),
  },
  { error: 'a file, e.g. { path: "{model}/1/model.onnx", from: onnx }' },
);

export const serverFileSchema = z
  .strictObject(
    {
      name: z
        .string({ error: NAME })
        .regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/, { error: NAME })
        .describe('Name of the server, kept with every trial.'),
      image: text('an image, e.g. nvcr.io/nvidia/tritonserver:24.12-py3').describe(
        'Image it runs from. dse pulls none; `server.image` of an experiment names another.',
      ),
      command: z
        .array(text('an argument'), { error: 'a program and its arguments, e.g. [serve, "--port={http_port}"]' })
        .min(1, { error: 'a program and its arguments, e.g. [serve, "--port={http_port}"]' })
        .describe('Program and arguments inside the container, in place of those of the image.'),
      env: z
        .record(z.string(), z.string({ error: 'text' }), { error: 'variables, e.g. { OMP_NUM_THREADS: "{threads}" }' })
        .describe('Environment variables.')
        .prefault({}),
      ports: z
        .record(z.string(), z.int({ error: PORT }).min(1, { error: PORT }).max(65535, { error: PORT }), {
          error: 'ports, e.g. { http: 8000 }',
        })
        .describe(
          'Ports it listens on inside a network of its own, by name. `http` is where requests go. Over the network of the host each is a free port instead; the placeholder {http_port} holds it.',
        ),
      user: text('a user of the image, e.g. 1000:1000')
        .describe('User inside; that of the image where left out.')
        .optional(),
      writable: z
        .array(insidePath(), { error: 'a list of folders, e.g. [/tmp]' })
        .describe('Folders inside that it must be able to write to, held in memory. Everything else is read-only.')
        .prefault([]),
      models: z
        .strictObject(
          {
            at: insidePath().describe('Folder inside in which the files are seen, read-only.'),
            files: z
              .array(layoutFileSchema, {
                error: 'a list of files, e.g. [{ path: "{model}/1/model.onnx", from: onnx }]',
              })
              .min(1, { error: 'one or more files, e.g. [{ path: "{model}/1/model.onnx", from: onnx }]' })
              .describe('The model and the settings files around it, as the server wants them.'),
          },
          { error: 'a layout, e.g. { at: /models, files: [{ path: "{model}/1/model.onnx", from: onnx }] }' },
        )
        .describe('How the model is placed.'),
      ready: z
        .strictObject(
          {
            path: z
              .string({ error: 'a path, e.g. /v2/health/ready' })
              .startsWith('/', { error: 'a path, e.g. /v2/health/ready' })
              .describe('Asked again and again until it is answered with status 200.'),
            contains: text('text').describe('Text that the answer must also hold.').optional(),
          },
          { error: 'a path, e.g. { path: /v2/health/ready }' },
        )
        .describe('How it says that the model can be used. One real inference is asked for after that.'),
      api: choice(['kserve-v2', 'tensorflow-serving'])
        .describe("The HTTP interface it speaks: KServe V2 (Open Inference Protocol), or TensorFlow Serving's predict.")
        .prefault('kserve-v2'),
      protocols: z
        .array(z.string({ error: 'a level of the factor protocol, e.g. rest-json' }), {
          error: 'levels of the factor protocol, e.g. [rest-json]',
        })
        .min(1, { error: 'levels of the factor protocol, e.g. [rest-json]' })
        .describe('Levels of the factor `protocol` that it speaks; the first is used where an experiment names none.'),
      factors: z
        .record(
          z.string(),
          z.strictObject(
            {
              values: z
                .record(z.string(), z.union([z.string(), z.number()], { error: SCALAR }).transform(String), {
                  error: 'levels and what the server is told for them, e.g. { sequential: 0, parallel: 1 }',
                })
                .describe(
                  'Level -> what its placeholder stands for; other levels are refused. Any level, as it is written, where left out.',
                )
                .optional(),
            },
            { error: '{}, or e.g. { values: { sequential: 0, parallel: 1 } }' },
          ),
          { error: 'factors, e.g. { threads: {} }' },
        )
        .describe(
          'Factors of its runtime that it can apply. Each is the name of a placeholder in the command, the variables or a text.',
        )
        .prefault({}),
    },
    { error: 'a server, e.g. "name: triton" followed by "image:"' },
  )
  .describe('A server that dse can start in a container and measure.');

export type WrittenServer = z.output<typeof serverFileSchema>;

/** JSON Schema (2020-12) of the file, for editors. */
export function serverJsonSchema(): Record<string, unknown> {
  return { title: 'dse server', ...z.toJSONSchema(serverFileSchema, { io: 'input' }) };
}

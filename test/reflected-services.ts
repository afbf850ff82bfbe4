import { createRequire } from 'node:module';
import { type Client, credentials, loadPackageDefinition, type ServiceClientConstructor } from '@grpc/grpc-js';
import { loadFileDescriptorSetFromBuffer, loadSync } from '@grpc/proto-loader';

/** What a server tells of itself by reflection to a client that has no .proto file of it. */
export class ReflectedServices implements Disposable {
  readonly #address: string;
  readonly #client: Client;

  constructor(address: string, version: 'v1' | 'v1alpha') {
    const proto = `@grpc/reflection/build/proto/grpc/reflection/${version}/reflection.proto`;
    const loaded = loadPackageDefinition(loadSync(createRequire(import.meta.url).resolve(proto), { keepCase: true }));
    // biome-ignore lint/suspicious/noExplicitAny: what is in a .proto file.
    const { ServerReflection } = (loaded as any).grpc.reflection[version];
    this.#address = address;
    this.#client = new ServerReflection(address, credentials.createInsecure());
  }

  async list(): Promise<string[]> {
    const { list_services_response: list } = await this.ask({ list_services: '' });
    return list.service.map(({ name }: { name: string }) => name);
  }

  /** A client of a service, made of nothing but what the server tells of it. */
  async clientOf(service: string): Promise<Client> {
    const { file_descriptor_response: files } = await this.ask({ file_containing_symbol: service });
    const definition = loadFileDescriptorSetFromBuffer(descriptorSet(files.file_descriptor_proto), {
      ...{ keepCase: true, defaults: true, longs: String, enums: String },
    });
    const found = service
      .split('.')
      .reduce<unknown>((part, name) => (part as Record<string, unknown>)[name], loadPackageDefinition(definition));
    return new (found as ServiceClientConstructor)(this.#address, credentials.createInsecure());
  }

  // biome-ignore lint/suspicious/noExplicitAny: the message of a .proto file.
  ask(request: object): Promise<any> {
    return new Promise((resolve, reject) => {
      const stream = this.open();
      stream.on('data', resolve).on('error', reject);
      stream.write(request);
      stream.end();
    });
  }

  /** A stream of questions and answers. */
  // biome-ignore lint/suspicious/noExplicitAny: methods of a client made from a .proto file.
  open(): any {
    // biome-ignore lint/suspicious/noExplicitAny: as above.
    return (this.#client as any).ServerReflectionInfo();
  }

  [Symbol.dispose](): void {
    this.#client.close();
  }
}

/** A FileDescriptorSet: the files as its field 1. */
function descriptorSet(files: readonly Buffer[]): Buffer {
  return Buffer.concat(files.flatMap((file) => [Buffer.of(0x0a, 0x80 | (file.length & 0x7f), file.length >> 7), file]));
}

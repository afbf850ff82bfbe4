import type {
  handleServerStreamingCall,
  Server,
  ServerWritableStream,
  UntypedServiceImplementation,
} from '@grpc/grpc-js';

type Call = ServerWritableStream<unknown, unknown>;

/** Streaming calls, which a client may leave open for as long as it likes (health that is watched, reflection): they are not in flight, and no reason to wait once a server stops. */
export class StandingCalls {
  readonly #open = new Set<Call>();

  /** What services are to be added to in place of a server, so that their streaming calls are known here. */
  of(server: Server): Server {
    const addService: Server['addService'] = (service, implementation) => {
      const streaming = Object.entries(service).filter(([, { responseStream }]) => responseStream);
      const watched: UntypedServiceImplementation = { ...implementation };
      for (const [name, { originalName = name }] of streaming) {
        const key = name in implementation ? name : originalName;
        watched[key] = this.#watch(implementation[key] as handleServerStreamingCall<unknown, unknown>);
      }
      server.addService(service, watched);
    };
    return { addService } as Server;
  }

  /** Ends them all, what was written to them before going out first. */
  end(): void {
    for (const call of this.#open) call.end();
  }

  #watch(handle: handleServerStreamingCall<unknown, unknown>): handleServerStreamingCall<unknown, unknown> {
    return (call) => {
      this.#open.add(call);
      const forget = () => this.#open.delete(call);
      call.once('close', forget).once('finish', forget).once('cancelled', forget);
      handle(call);
    };
  }
}

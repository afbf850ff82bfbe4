import { converse } from './converse.ts';
import type { GrpcCaller } from './grpc-call.ts';
import * as grpc from './grpc-cases.ts';
import { grpcJunk } from './grpc-junk.ts';
import { goodImages, imageBombs, mangledImages, spoiltImages } from './image-cases.ts';
import { binaryBodies, mangledJson, oddJson, spoiltJson } from './rest-bodies.ts';
import { chunks, heads, requestLines } from './rest-heads.ts';
import { goodRequest } from './rest-requests.ts';
import { halfClosed, junk, oversized, pipelined, resets, slow } from './rest-sockets.ts';
import { elementTypes } from './rest-types.ts';
import type { CaseKind } from './types.ts';

/** Every kind of case by its name; they take turns. */
export function caseKinds(caller: GrpcCaller): Readonly<Record<string, CaseKind>> {
  const calls = (kind: (typeof grpc)['goodCall']): CaseKind => {
    return (choose, { bodyLimitBytes }) => caller.play(kind(choose, bodyLimitBytes));
  };
  return {
    'REST right': (choose, { port }) => {
      const { bytes, expected } = goodRequest(choose);
      return converse(port, { steps: [bytes], expected: [expected] });
    },
    'REST JSON spoilt': spoiltJson,
    'REST JSON mangled': mangledJson,
    'REST JSON odd': oddJson,
    'REST binary': binaryBodies,
    'REST element types': elementTypes,
    'REST header fields': heads,
    'REST request lines': requestLines,
    'REST chunks': chunks,
    'REST slow': slow,
    'REST half-closed': halfClosed,
    'REST reset': resets,
    'REST pipelined': pipelined,
    'REST oversized': oversized,
    'REST no HTTP': junk,
    'image right': goodImages,
    'image mangled': mangledImages,
    'image spoilt': spoiltImages,
    'image bombs': imageBombs,
    'gRPC right': calls(grpc.goodCall),
    'gRPC spoilt': calls(grpc.spoiltMessages),
    'gRPC mangled': calls(grpc.mangledMessages),
    'gRPC framing': calls(grpc.frames),
    'gRPC headers': calls(grpc.headers),
    'gRPC given up': calls(grpc.givenUp),
    'gRPC other methods': calls(grpc.otherMethods),
    'gRPC no HTTP/2': grpcJunk,
  };
}

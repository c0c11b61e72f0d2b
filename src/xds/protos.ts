/**
 * Envoy's protos as protobufjs types, read from the files that @grpc/grpc-js-xds ships. Only the files that a root needs are parsed; those
 * that hold nothing but annotations are left out, since options take no part in encoding.
 */

import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import protobuf from 'protobufjs';

const packages = ['envoy-api', 'xds', 'googleapis', 'protoc-gen-validate'];
const annotationsOnly =
  /^(validate|udpa\/annotations|xds\/annotations|envoy\/annotations|google\/api)\/|^google\/protobuf\/descriptor\.proto$/;

/**
 * A root with `files` (`envoy/service/discovery/v3/discovery.proto`, …) and all that they import. Field names stay as in the files.
 * Throws where a file is not part of the package.
 */
export function loadProtos(files: readonly string[]): protobuf.Root {
  const packageFile = createRequire(import.meta.url).resolve('@grpc/grpc-js-xds/package.json');
  const deps = join(dirname(packageFile), 'deps');
  const root = new protobuf.Root();
  root.resolvePath = (_origin, target) => {
    if (annotationsOnly.test(target)) return null;
    for (const name of packages) {
      const path = join(deps, name, target);
      if (existsSync(path)) return path;
    }
    // google/protobuf/* come with protobufjs.
    return target;
  };
  root.loadSync([...files], { keepCase: true });
  return root;
}

export interface DiscoveryProtos {
  readonly sotwRequest: protobuf.Type;
  readonly sotwResponse: protobuf.Type;
  readonly deltaRequest: protobuf.Type;
  readonly deltaResponse: protobuf.Type;
  readonly resource: protobuf.Type;
}

export interface StatusProtos {
  readonly request: protobuf.Type;
  readonly response: protobuf.Type;
}

let discovery: DiscoveryProtos | undefined;
let status: StatusProtos | undefined;

/** The messages of envoy/service/discovery/v3, loaded once per process. */
export function discoveryProtos(): DiscoveryProtos {
  if (discovery === undefined) {
    const root = loadProtos(['envoy/service/discovery/v3/discovery.proto']);
    const lookup = (name: string): protobuf.Type => root.lookupType(`envoy.service.discovery.v3.${name}`);
    discovery = {
      sotwRequest: lookup('DiscoveryRequest'),
      sotwResponse: lookup('DiscoveryResponse'),
      deltaRequest: lookup('DeltaDiscoveryRequest'),
      deltaResponse: lookup('DeltaDiscoveryResponse'),
      resource: lookup('Resource'),
    };
  }
  return discovery;
}

/** The messages of envoy/service/status/v3 (CSDS), loaded at their first use. */
export function statusProtos(): StatusProtos {
  if (status === undefined) {
    const root = loadProtos(['envoy/service/status/v3/csds.proto']);
    status = {
      request: root.lookupType('envoy.service.status.v3.ClientStatusRequest'),
      response: root.lookupType('envoy.service.status.v3.ClientStatusResponse'),
    };
  }
  return status;
}

/**
 * What the admin API reads and writes through: an injected view of the running pilot. The pilot implements both; nothing in here knows how.
 * What always holds: every reading is a plain, JSON-ready value made at the time of the call, so that nothing is computed while nobody asks.
 */

import type { LogLevel } from '../core/logger.ts';
import type {
  ClusterReport,
  EndpointReport,
  KindReport,
  ObjectReport,
  ProxyReport,
  RuleReport,
  ServiceReport,
  VersionReport,
  WriteReport,
} from '../model/report.ts';
import type { DrainPlanner } from './drain-routes.ts';
import type { InspectionSource } from './inspection-source.ts';

export interface ReadinessCheck {
  /** kebab-case, e.g. `clusters-synced`. */
  readonly name: string;
  readonly ok: boolean;
  /** For people: why it is or is not; one line. */
  readonly message: string;
}

export interface Readiness {
  readonly ready: boolean;
  readonly checks: readonly ReadinessCheck[];
}

/** Filters narrow before the reports are built, where that is cheaper. An implementation may ignore them: the API filters again. */
export interface ReportFilter {
  readonly namespace?: string;
  readonly name?: string;
  readonly cluster?: string;
}

/** A kind of object besides rules; its lists and deletions stand under its plural. */
export interface ReportedKind {
  readonly kind: string;
  readonly plural: string;
  readonly namespaced: boolean;
}

export interface AdminSource {
  clusters(): readonly ClusterReport[];
  services(filter: ReportFilter): readonly ServiceReport[];
  endpoints(filter: ReportFilter): readonly EndpointReport[];
  rules(filter: ReportFilter): readonly RuleReport[];
  /** Fixed while the API runs. */
  readonly kinds: readonly ReportedKind[];
  /** Of one of `kinds`. */
  objects(kind: string, filter: ReportFilter): readonly ObjectReport[];
  /** How the kinds that others define are read. */
  kindReports(): readonly KindReport[];
  proxies(filter: ReportFilter): readonly ProxyReport[];
  /** The resources that this proxy is given, in the shape of Envoy's /config_dump; undefined when no such proxy is connected. */
  configDump(nodeId: string): unknown;
  /** The merged catalog with its shards, for debugging; plain JSON (no Maps). */
  catalog(): unknown;
  version(): VersionReport;
  /** Must not depend on whether remote clusters answer: one that is lost is marked, and the pilot stays ready. */
  readiness(): Readiness;
  /** Every setting in force, by name; never a secret. */
  settings(): Readonly<Record<string, unknown>>;
  readonly inspection: InspectionSource;
  /** What a drain would do; never refuses. */
  readonly drainPlan: DrainPlanner;
}

export interface WriteOptions {
  /** Check and report what would happen, and change nothing. */
  readonly dryRun: boolean;
}

export interface RuleWriter {
  /**
   * Applies YAML (or JSON, which is YAML) with one or more documents: all of them or, if one is invalid, none. `results` has one entry per
   * document, in their order. What is wrong with a document is a finding in its result, never an exception; an exception is a failure of
   * the pilot itself (a full disk).
   * `origin` names the sender, for findings' `where.file`. Once it resolves, `AdminSource.rules` shows what was written.
   */
  apply(text: string, origin: string, options: WriteOptions): Promise<WriteReport>;
  /** One result; its action is `deleted` or `not-found`. */
  delete(kind: string, namespace: string, name: string, options: WriteOptions): Promise<WriteReport>;
}

/** Where the pilot's log level is read and set at run time. */
export interface LogLevelSwitch {
  get(): LogLevel;
  set(level: LogLevel): void;
}

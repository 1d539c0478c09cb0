import { formatLsn } from '../events/position.ts';
import type { Plan } from '../rules/plan.ts';
import type { Instance } from '../store/control.ts';
import { checkPublications } from './check-publications.ts';
import type { SourceFacts } from './facts.ts';
import { type Finding, failed, passed } from './finding.ts';
import { quoteIdentifier } from './publications.ts';

const MIN_VERSION = 140_000;
const ADOPT =
  '`weir init --apply --adopt-slot` (starts where the slot stands: what was skipped stays unseen)';

export interface Recorded {
  /** null: the store knows no instance of this name. */
  readonly instance: Instance | null;
  /**
   * The rule set in force at the record, and others that are announced already; publications must carry one of
   * them whole. Empty: not looked at.
   */
  readonly plans: readonly Pick<Plan, 'tables'>[];
}

/**
 * Invariant 8, decided: does what was found agree with what was recorded? Anything that would lose rows without a
 * word is refused, with the command that mends it. Pure: `weir doctor` shows the same findings.
 */
export function judge(slotName: string, found: SourceFacts, recorded: Recorded): readonly Finding[] {
  const { instance } = recorded;
  const findings = [judgeVersion(found), judgePrimary(found)];
  if (instance === null) return [...findings, judgeUnknown(slotName, found)];
  findings.push(judgeSystem(found, instance), judgeDatabase(found, instance));
  findings.push(...judgeSlot(slotName, found, instance));
  findings.push(judgePublications(found, recorded.plans, instance));
  return findings;
}

function judgeVersion(found: SourceFacts): Finding {
  const measured = `server_version_num is ${found.serverVersion}`;
  const why = 'pgoutput sends logical messages since PostgreSQL 14';
  if (found.serverVersion >= MIN_VERSION) return passed('server-version', measured, why);
  return failed({ id: 'server-version', measured, why, fix: 'upgrade to PostgreSQL 14 or later' });
}

function judgePrimary(found: SourceFacts): Finding {
  const measured = `pg_is_in_recovery() is ${found.inRecovery}`;
  const why = 'heartbeats are written into the WAL, which only a primary can';
  if (!found.inRecovery) return passed('primary', measured, why);
  return failed({ id: 'primary', measured, why, fix: 'point DATABASE_URL at the primary' });
}

function judgeUnknown(slotName: string, found: SourceFacts): Finding {
  if (found.slot === null) {
    return failed({
      id: 'instance-missing',
      measured: `the store has no instance "${slotName}"`,
      why: 'nothing has been set up yet',
      fix: '`weir init --apply`',
    });
  }
  return failed({
    id: 'slot-unknown',
    measured: `slot "${slotName}" exists at ${lsnOf(found.slot.confirmedFlushLsn)}, but the store has no record of it`,
    why: 'another program may have read from it, and what it acknowledged is gone',
    fix: `if it is this Weir's: ${ADOPT}; else give Weir another name with WEIR_SLOT`,
  });
}

function judgeSystem(found: SourceFacts, instance: Instance): Finding {
  const why = 'positions name places in the WAL of one system and timeline';
  if (found.system === null) {
    return failed({
      id: 'replication-right',
      measured: 'no replication connection could be had (IDENTIFY_SYSTEM)',
      why: 'the stream is one',
      fix: '`ALTER ROLE … REPLICATION` for the role of DATABASE_URL, a line for it in pg_hba.conf, and a free max_wal_senders',
    });
  }
  const { identifier, timeline } = found.system;
  const measured = `system ${identifier}, timeline ${timeline} (recorded: ${instance.systemIdentifier}, ${instance.timeline})`;
  const same = identifier === instance.systemIdentifier && timeline === instance.timeline;
  if (same) return passed('system', measured, why);
  const other = identifier !== instance.systemIdentifier;
  return failed({
    id: 'system',
    measured,
    why: other
      ? `${why}: DATABASE_URL points at another PostgreSQL`
      : `${why}: a standby was promoted or a backup restored`,
    fix: `correct DATABASE_URL; if it is right, ${ADOPT}`,
  });
}

function judgeDatabase(found: SourceFacts, instance: Instance): Finding {
  const measured = `database "${found.database}" (recorded: "${instance.database}")`;
  const why = 'a slot belongs to one database';
  if (found.database === instance.database) return passed('database', measured, why);
  return failed({ id: 'database', measured, why, fix: 'correct DATABASE_URL, or WEIR_SLOT' });
}

function judgeSlot(slotName: string, found: SourceFacts, instance: Instance): readonly Finding[] {
  const { slot } = found;
  if (slot === null) {
    return [
      failed({
        id: 'slot-missing',
        measured: `slot "${slotName}" does not exist`,
        why: `rows since ${formatLsn(instance.ack.lsn)} can no longer be read`,
        fix: `create it anew with ${ADOPT}`,
      }),
    ];
  }
  const drop = `SELECT pg_drop_replication_slot('${slotName.replaceAll("'", "''")}')`;
  if (slot.plugin !== 'pgoutput') {
    return [
      failed({
        id: 'slot-plugin',
        measured: `slot "${slotName}" uses the plugin ${slot.plugin}`,
        why: 'Weir reads pgoutput: it is another program’s slot',
        fix: 'give Weir another name with WEIR_SLOT',
      }),
    ];
  }
  if (slot.walStatus === 'lost') {
    return [
      failed({
        id: 'slot-lost',
        measured: `slot "${slotName}" is lost (wal_status=lost)`,
        why: `PostgreSQL removed WAL that was not yet read (max_slot_wal_keep_size): rows since ${formatLsn(instance.ack.lsn)} can no longer be read`,
        fix: `\`${drop}\`, then ${ADOPT}`,
      }),
    ];
  }
  return [
    passed('slot', `slot "${slotName}" is ${slot.walStatus}`, 'it keeps WAL'),
    judgeMoved(found, instance),
  ];
}

/** We send L + 1 for the recorded L, and record before we send. */
function judgeMoved({ slot }: SourceFacts, instance: Instance): Finding {
  const confirmed = slot?.confirmedFlushLsn ?? null;
  const { lsn } = instance.ack;
  const measured = `confirmed_flush_lsn of slot "${instance.slot}" is ${lsnOf(confirmed)}, recorded ${formatLsn(lsn)}`;
  const why = 'what Weir acknowledges is recorded first';
  if (confirmed !== null && confirmed <= lsn + 1n) return passed('slot-position', measured, why);
  return failed({
    id: 'slot-moved',
    measured,
    why: `${why}: somebody else moved or recreated the slot, or the store was restored from a backup, and rows between were never seen`,
    fix: ADOPT,
  });
}

function judgePublications(found: SourceFacts, plans: Recorded['plans'], instance: Instance): Finding {
  const why = 'what is not published never arrives, and nothing says so';
  const outcomes = (plans.length === 0 ? [{ tables: [] }] : plans).map((plan) =>
    checkPublications(plan, found.publications, instance.publications),
  );
  const problems = outcomes.find((outcome) => outcome.length === 0) ?? outcomes[0] ?? [];
  const names = found.publications.map(({ name }) => quoteIdentifier(name)).join(', ');
  if (problems.length === 0) return passed('publications', `publications ${names} fit the rules`, why);
  const recreated = problems.some(({ kind }) => kind === 'recreated' || kind === 'missing');
  return failed({
    id: 'publications',
    measured: problems.map(({ message }) => message).join('; '),
    why,
    fix: recreated ? ADOPT : '`weir init --apply`',
  });
}

function lsnOf(lsn: Parameters<typeof formatLsn>[0] | null): string {
  return lsn === null ? 'NULL' : formatLsn(lsn);
}

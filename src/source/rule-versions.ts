import { WeirError } from '../errors.ts';
import type { Plan } from '../rules/plan.ts';
import type { ControlStore } from '../store/control.ts';
import type { SourceOptions } from './source-options.ts';

/** Rule sets from the store, never from this process's own disk (invariant 7). */
export class RuleVersions {
  readonly #control: Pick<ControlStore, 'getRules'>;
  readonly #compile: (content: string) => Plan;
  readonly #logger: SourceOptions['logger'];
  /** The one compiled last: each epoch asks for it several times. */
  #last: Plan | null = null;

  constructor(options: Pick<SourceOptions, 'control' | 'compile' | 'logger'>) {
    this.#control = options.control;
    this.#compile = options.compile;
    this.#logger = options.logger;
  }

  /** The one that an acknowledgement names. */
  async recorded(version: string): Promise<Plan> {
    if (this.#last?.version === version) return this.#last;
    const content = await this.#control.getRules(version);
    if (content !== null) {
      this.#last = this.#compile(content);
      return this.#last;
    }
    throw new WeirError({
      code: 'WEIR_RULES_UNKNOWN',
      message: `rule set ${JSON.stringify(version)} is in force, but not in weir.rule_versions`,
      hint: 'restore the row of weir.rule_versions, or start over with `weir teardown` and `weir init --apply`',
      retry: 'after-operator',
    });
  }

  /** One that a message names: any role can emit one, so a name that the store does not know is ignored. */
  async announced(version: string): Promise<Plan | null> {
    const content = await this.#control.getRules(version);
    if (content === null) {
      this.#logger.warn({ version }, 'a message announces rules that the store does not have: ignored');
      return null;
    }
    this.#logger.info({ version }, 'rules switched');
    return this.#compile(content);
  }
}

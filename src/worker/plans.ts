import { WeirError } from '../errors.ts';
import type { Plan } from '../rules/plan.ts';
import { compileStored } from '../rules/stored.ts';
import type { ControlStore } from '../store/control.ts';

/** Rule sets by version, from the store and never from this process's own disk (invariant 7); compiled once. */
export class Plans {
  readonly #control: Pick<ControlStore, 'getRules'>;
  readonly #compiled = new Map<string, Promise<Plan>>();

  constructor(control: Pick<ControlStore, 'getRules'>) {
    this.#control = control;
  }

  get(version: string): Promise<Plan> {
    const known = this.#compiled.get(version);
    if (known !== undefined) return known;
    const plan = this.#load(version);
    this.#compiled.set(version, plan);
    plan.catch(() => this.#compiled.delete(version));
    return plan;
  }

  async #load(version: string): Promise<Plan> {
    const content = await this.#control.getRules(version);
    if (content === null) {
      throw new WeirError({
        code: 'WEIR_RULES_UNKNOWN',
        message: `rule set ${version} is not in weir.rule_versions`,
        hint: 'rows of weir.rule_versions must not be deleted by hand: restore it, or start over with `weir teardown` and `weir init --apply`',
        retry: 'after-operator',
      });
    }
    return compileStored(content);
  }
}

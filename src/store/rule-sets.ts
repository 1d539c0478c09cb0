import { WeirError } from '../errors.ts';
import type { Plan } from '../rules/plan.ts';
import type { ControlStore } from './control.ts';

/** Rule sets by version, from the store and never from this process's own disk (invariant 7); compiled once. */
export class RuleSets {
  readonly #control: Pick<ControlStore, 'getRules'>;
  readonly #compile: (content: string) => Plan;
  readonly #compiled = new Map<string, Promise<Plan | null>>();

  /** `compile`: `compileStored` of rules/. */
  constructor(control: Pick<ControlStore, 'getRules'>, compile: (content: string) => Plan) {
    this.#control = control;
    this.#compile = compile;
  }

  /** One that an acknowledgement or a batch names: the store must have it. */
  async get(version: string): Promise<Plan> {
    const plan = await this.find(version);
    if (plan !== null) return plan;
    throw new WeirError({
      code: 'WEIR_RULES_UNKNOWN',
      message: `rule set ${JSON.stringify(version)} is in force, but not in weir.rule_versions`,
      hint: 'restore the row of weir.rule_versions (none may be deleted by hand), or start over with `weir teardown` and `weir init --apply`',
      retry: 'after-operator',
    });
  }

  /** null: the store does not have it, now. */
  find(version: string): Promise<Plan | null> {
    const known = this.#compiled.get(version);
    if (known !== undefined) return known;
    const plan = this.#load(version);
    this.#compiled.set(version, plan);
    const forget = (): boolean => this.#compiled.delete(version);
    plan.then((found) => found ?? forget(), forget);
    return plan;
  }

  async #load(version: string): Promise<Plan | null> {
    const content = await this.#control.getRules(version);
    return content === null ? null : this.#compile(content);
  }
}

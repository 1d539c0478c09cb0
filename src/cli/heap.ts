import { constants, PerformanceObserver } from 'node:perf_hooks';
import { setFlagsFromString } from 'node:v8';

/** What the heap may grow by from one major collection to the next: at least in percent of what lives, and in bytes. */
const LEAST_PERCENT = 20;
const LEAST_BYTES = 64 * 1024 * 1024;

/**
 * V8 lets a heap double and more before it collects, wherever memory looks plentiful; a sidecar shares its machine with
 * the database. Growing by 20 % halves the memory of a million-row transaction and costs no throughput; but a small heap
 * would then be collected every other second, and each collection is felt in the slowest rows, so there is a least step in
 * bytes (npm run bench). V8 reads the flag at each collection.
 */
export function growHeapSlowly(): void {
  grow();
  const observer = new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      const { kind } = (entry as unknown as { detail: { kind: number } }).detail;
      if (kind === constants.NODE_PERFORMANCE_GC_MAJOR) grow();
    }
  });
  observer.observe({ entryTypes: ['gc'] });
}

function grow(): void {
  const percent = Math.max(LEAST_PERCENT, Math.round((100 * LEAST_BYTES) / process.memoryUsage().heapUsed));
  setFlagsFromString(`--heap-growing-percent=${percent}`);
}

/** Imported before all else: loading the pilot is its first burst of work. */

import { boundYoung } from '../../src/core/young-generation.ts';

boundYoung();

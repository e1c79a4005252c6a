import { runTogether } from '../support/together.ts';
import { TOGETHER } from './lists.ts';

runTogether(TOGETHER.cloud);

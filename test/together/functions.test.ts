import { runTogether } from '../support/together.ts';
import { FUNCTIONS } from './lists.ts';

runTogether(FUNCTIONS);

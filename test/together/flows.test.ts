import { runTogether } from '../support/together.ts';
import { FLOWS } from './lists.ts';

runTogether(FLOWS);

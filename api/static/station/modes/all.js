/** The modes of the station, in the order of their buttons. */

import { draw } from "./draw.js";
import { issue } from "./issue.js";
import { count, receive } from "./lists.js";
import { lookUp } from "./look_up.js";
import { turnIn } from "./return.js";

export const MODES = [issue, turnIn, draw, receive, count, lookUp];

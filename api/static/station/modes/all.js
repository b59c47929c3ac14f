/** The modes of the station, in the order of their buttons. */

import { count } from "./count.js";
import { draw } from "./draw.js";
import { issue } from "./issue.js";
import { lookUp } from "./look_up.js";
import { receive } from "./receive.js";
import { turnIn } from "./return.js";

export const MODES = [issue, turnIn, draw, receive, count, lookUp];

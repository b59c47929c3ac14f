/** The modes of the station, in the order of their buttons. */

import { issue } from "./issue.js";

export const MODES = [issue];

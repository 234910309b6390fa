import { startCritical } from "../core/critical";
import { pageKeys } from "../core/page-keys";
import { startExams } from "./exams";
import { commands } from "./keys";
import { startOrders } from "./order";
import { startUploads } from "./upload";

const refresh = startExams();
startCritical();
startUploads(refresh);
startOrders(refresh);
pageKeys(commands);

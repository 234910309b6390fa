import { startCritical } from "../core/critical";
import { startExams } from "./exams";
import { startOrders } from "./order";
import { startUploads } from "./upload";

const refresh = startExams();
startCritical();
startUploads(refresh);
startOrders(refresh);

import { startExams } from "./exams";
import { startOrders } from "./order";
import { startUploads } from "./upload";

const refresh = startExams();
startUploads(refresh);
startOrders(refresh);

export { type BestOf, type BestOptions, type BestSearch, bestOf, bestSearch, findBest } from "./best.ts";
export { openOrt, ortAddonStatus, ortKernel, ortKernels, ortStepsBack, ortVersion } from "./open.ts";
export type { OrtOptions, OrtPort, OrtRunOptions, OrtSession, OrtTensors, OrtWanted, PanelsEvent } from "./session.ts";
export { elementsOf, type OrtArray, type OrtDType, type OrtTensor, ortTensor } from "./tensor.ts";

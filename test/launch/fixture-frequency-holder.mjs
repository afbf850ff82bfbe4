// Holds a clock, as a run of dse would, until it is killed. Arguments: the compiled launch/cpu-frequency.js and launch/run-label.js, a CPU tree, a clock in kHz.
const [, , frequencyModule, labelModule, root, khz] = process.argv;
const { holdCpuFrequency } = await import(frequencyModule);
const { createRunLabel } = await import(labelModule);
const runLabel = createRunLabel();
holdCpuFrequency(Number(khz), '0-1', runLabel, root);
process.stdout.write(`${runLabel}\n`);
setInterval(() => {}, 1_000);

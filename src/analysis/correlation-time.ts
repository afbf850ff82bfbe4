/** Why latencies of neighbouring requests resemble each other, with the one number that says how much. */
export type Dependence =
  | {
      /** Requests arrive whether or not others were answered, so that a backlog outlives many of them. */
      readonly kind: 'open';
      /** Offered load as a share of capacity. */
      readonly utilization: number;
    }
  | {
      /** Every request waits for those of the other clients. */
      readonly kind: 'closed';
      readonly concurrency: number;
    };

/**
 * How many successive requests carry as much about the mean latency as one independent request.
 *
 * It follows from how the load is offered, not from the latencies seen: an estimate from the same run is low exactly when the run saw no long backlog, and would let
 * intervals through where they miss. Open loop: the value of the M/M/1 queue, which is about twice that of a fixed service time (M/D/1), so it errs on the long side for a model server;
 * services that vary more than exponentially need more. Closed loop: the number of clients, whose requests share their waiting.
 * @returns requests, at least 1; infinite at a utilization of 1 or more, where the backlog never settles
 * @throws RangeError if the utilization is negative or the concurrency below 1
 * Source: sum of the autocorrelations of the waiting times, Daley (1968), "The serial correlation coefficients of waiting times in a stationary single server queue", Journal of
 * the Australian Mathematical Society 8(4); Whitt (1989), "Planning queueing simulations", Management Science 35(11).
 */
export function correlationTime(dependence: Dependence): number {
  if (dependence.kind === 'closed') {
    if (!(dependence.concurrency >= 1)) throw new RangeError(`a concurrency of ${dependence.concurrency} is below 1`);
    return dependence.concurrency;
  }
  const { utilization: rho } = dependence;
  if (!(rho >= 0)) throw new RangeError(`a utilization of ${rho} is not a share of capacity`);
  if (rho >= 1) return Number.POSITIVE_INFINITY;
  return (2 + 5 * rho - 4 * rho ** 2 + rho ** 3) / ((2 - rho) * (1 - rho) ** 2);
}

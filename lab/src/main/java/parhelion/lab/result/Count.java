package parhelion.lab.result;

/**
 * How often something happened and what it cost the host.
 *
 * @param times how often
 * @param nanos host time of all of them; 0 where nobody measured
 */
public record Count(long times, long nanos) {
  public Count {
    Check.count("count.times", times);
    Check.count("count.nanos", nanos);
  }
}

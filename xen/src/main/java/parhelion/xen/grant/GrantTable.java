package parhelion.xen.grant;

import parhelion.xen.Domain;

/** The pages that a domain lends to others, and those that it has borrowed. One per domain. */
public final class GrantTable {
  private final Domain domain;

  public GrantTable(Domain domain) {
    this.domain = domain;
  }

  public Domain domain() {
    return domain;
  }

  /** Ends all mappings by and of a dying domain. */
  public void destroy() {}
}

package parhelion.cpu.rewrite;

import java.util.HashMap;
import java.util.Map;

/**
 * Numbers for pairs of a virtual page and the frame there, from 1: by comparing one with what the
 * TLB has for a page, generated code knows that it is still mapped where it was written for.
 */
final class CodePages {
  private record CodePage(long va, long pa) {
    @Override
    public int hashCode() {
      return (int) ((va ^ pa * 31) * 0x9e3779b97f4a7c15L >>> 32);
    }

    @Override
    public boolean equals(Object other) {
      return other instanceof CodePage page && page.va == va && page.pa == pa;
    }
  }

  private final Map<CodePage, Integer> numbers = new HashMap<>();

  int number(long va, long pa) {
    CodePage page = new CodePage(va & -4096L, pa & -4096L);
    Integer number = numbers.get(page);
    if (number == null) {
      number = numbers.size() + 1;
      numbers.put(page, number);
    }
    return number;
  }

  void clear() {
    numbers.clear();
  }
}

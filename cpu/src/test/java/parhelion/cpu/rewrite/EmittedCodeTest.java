package parhelion.cpu.rewrite;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;
import static parhelion.cpu.memory.Host.U;

import java.io.IOException;
import java.io.InputStream;
import java.lang.reflect.Field;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import parhelion.cpu.Cpu;
import parhelion.cpu.CpuState;
import parhelion.cpu.Engine;
import parhelion.cpu.GuestFault;
import parhelion.cpu.Tlb;
import parhelion.cpu.decode.Decoder;
import parhelion.cpu.decode.Disassembler;
import parhelion.cpu.decode.Insn;
import parhelion.cpu.decode.Mnemonic;
import parhelion.cpu.decode.Opcode;
import parhelion.cpu.decode.Operand;

/**
 * The host code itself: a listing for some instructions of each treatment, so that a change of its
 * size or shape is seen, and rules that all of it keeps.
 *
 * <p>{@code -Dparhelion.golden.update=true} writes the listing anew; it is that of a host with BMI2
 * and AVX.
 */
class EmittedCodeTest {
  private static final long SEED = Long.getLong("parhelion.seed", 1);
  private static final boolean FAST = Boolean.getBoolean("parhelion.fast");
  private static final String GOLDEN = "/parhelion/cpu/rewrite/emitted.txt";
  private static final int PA = Guest.FREE;
  private static final long CODE = 0x40_0000L;

  @BeforeEach
  void hostRunsGeneratedCode() {
    assumeTrue(HostCpu.obstacle() == null);
  }

  // --- the listing ---

  private static final String[] SAMPLES = {
    // EMIT: registers, with and without flags that are live, registers that stay in the state block
    "01d8 ebfe",
    "4d01c8 ebfe",
    "410fb6c1 4883c001 ebfe",
    "4589d3 ebfe",
    "88e3 ebfe",
    // EMIT: memory, by host registers, by others, indexed, by segment, aligned, one byte, locked
    "488b4308 ebfe",
    "4c8b4f10 ebfe",
    "498b00 ebfe",
    "488b04d3 ebfe",
    "64488b042510000000 ebfe",
    "8803 ebfe",
    "f0480fb10b ebfe",
    "0f280b ebfe",
    "f20f58430c ebfe",
    "480fb10b ebfe",
    // Constant addresses, several accesses by one register
    "488b0510000000 ebfe",
    "c6042500105000ff ebfe",
    "488b03 48894308 488b4310 ebfe",
    // Several by one sum, and walks through memory
    "488b0411 48890411 ebfe",
    "488904cf 48ffc1 4839d1 75f4 ebfe",
    "0f2802 0f584310 0f2902 4883c210 4839ca 75ed ebfe",
    // All rounds in a row, and what a loop leaves as it is checked in front of it
    "31c9 48890ccf 4883c101 4883f903 75f2 ebfe",
    "48034308 48894618 4883c708 48033f 4839d7 75ec ebfe",
    // One way or another through a loop, and out of it
    "4885c8 7405 4531c0 eb03 4c8bc2 4c39c6 7408 48ffc1 4839f9 75e6 ebfe",
    // Flags across a check
    "01d8 488b0b 7202 ebf7 ebfe",
    "39d8 8903 740a 0f0b",
    // The other treatments
    "90 ebfe",
    "50 4151 59 5a ebf8",
    "c9 ebfe",
    "48f7f1 ebfe",
    "f7fb ebfe",
    "488d440b08 ebfe",
    "a1f0debc9a78563412 ebfe",
    "480fab0b ebfe",
    "480fa30b ebfe",
    "f348a5 ebfe",
    "f3aa ebfe",
    "8cd8 ebfe",
    "f3480faec3 ebfe",
    "f3480faedb ebfe",
    "7405 ebfe",
    "e90010feff",
    "e2fe",
    "e3fe ebfe",
    "e8f00f0000",
    "c3",
    "c20800",
    "ffe0",
    "ff20",
    "ffd0",
    "ff5310",
    "d8c1 ebfe",
    "0fa2 ebfe",
    "0f05",
    "ff4001 ebfb"
  };

  private static Guest guest() {
    Guest g = new Guest(Engine.REWRITER);
    g.map(CODE, PA, Guest.USER & ~Guest.W);
    return g;
  }

  /** Offsets from GS by name. */
  private static Map<Long, String> names() throws IllegalAccessException {
    Map<Long, String> names = new LinkedHashMap<>();
    for (Class<?> c : new Class<?>[] {CpuState.class, NativeState.class}) {
      for (Field field : c.getDeclaredFields()) {
        field.setAccessible(true);
        if (field.getType() == int.class
            && !Set.of("SIZE", "BASE", "BYTES", "JUMPS", "CACHES", "XMM_STRIDE")
                .contains(field.getName())) {
          int offset = field.getInt(null);
          if (offset >= 0x40 || offset % 8 == 0 && field.getName().startsWith("R")) {
            names.putIfAbsent((long) offset, field.getName().toLowerCase(java.util.Locale.ROOT));
          }
        }
      }
    }
    for (int slot = 0; slot < Groups.INDEXED + Groups.SUMS; slot++) {
      names.put((long) NativeState.groupAddend(slot), "group" + slot + ".addend");
    }
    for (int tlb = 0; tlb < 2; tlb++) {
      String[] fields = {"read_tag", "write_tag", "addend", "host_page"};
      for (int i = 0; i < 4; i++) {
        names.put((long) NativeState.tlb(tlb) + i * 8, "tlb" + tlb + "." + fields[i]);
      }
      names.put((long) NativeState.tlb(tlb) + Tlb.codePageSlot(CODE), "code_page" + tlb);
      names.put((long) NativeState.jumpKeys(tlb), "jump_keys" + tlb);
      names.put((long) NativeState.jumpTargets(tlb), "jump_targets" + tlb);
    }
    return names;
  }

  private static byte[] hostCode(Region region) {
    byte[] code = new byte[region.hostBytes];
    for (int i = 0; i < code.length; i++) {
      code[i] = U.getByte(region.host + i);
    }
    return code;
  }

  private static String listing(String hex) throws IllegalAccessException {
    Map<Long, String> names = names();
    StringBuilder text = new StringBuilder();
    try (Guest g = guest()) {
      g.write(PA, hex);
      RegionCache regions = g.code.regions();
      assertNotNull(regions);
      Region region = regions.translate(g.cpu, PA, CODE, RegionKey.of(g.cpu, false));
      assertNotNull(region, hex);
      text.append("; ").append(hex);
      guestListing(text, hex);
      text.append("\n; ").append(region.hostBytes).append(" bytes\n");
      Decoder decoder = Decoder.ofEverything();
      Insn insn = new Insn();
      byte[] code = hostCode(region);
      for (int at = 0; at < code.length; at += insn.length) {
        assertEquals(Decoder.OK, decoder.decode(code, at, code.length - at, 64, insn));
        text.append(String.format("%4x  %s%n", at, line(insn, at, region, regions, names)));
      }
    }
    return text.append('\n').toString();
  }

  private static void guestListing(StringBuilder text, String hex) {
    byte[] code = java.util.HexFormat.of().parseHex(hex.replace(" ", ""));
    Decoder decoder = Decoder.ofEverything();
    Insn insn = new Insn();
    for (int at = 0; at < code.length; at += insn.length) {
      assertEquals(Decoder.OK, decoder.decode(code, at, code.length - at, 64, insn), hex);
      text.append("\n;   ").append(Disassembler.disassemble(insn, CODE + at, null));
    }
  }

  private static String line(
      Insn insn, int at, Region region, RegionCache regions, Map<Long, String> names) {
    if (isBranch(insn)) {
      long target = region.host + at + insn.length + insn.imm;
      if (target < region.host || target >= region.host + region.hostBytes) {
        String text = Disassembler.disassemble(insn, 0, null);
        return text.substring(0, text.indexOf(' ')) + " " + routine(regions.routines, target);
      }
    }
    String text = Disassembler.disassemble(insn, at, null);
    if (insn.isMemory() && insn.segmentOverride == CpuState.GS) {
      String name = names.get(insn.disp & 0xffff_ffffL);
      String number = "0x" + Long.toHexString(insn.disp);
      if (name != null) {
        return text.replace(number, name);
      }
    }
    return text;
  }

  private static String routine(Routines r, long target) {
    Map<Long, String> names = new LinkedHashMap<>();
    names.put(r.exit, "exit");
    names.put(r.exitWithFlags, "exit_with_flags");
    names.put(r.loadSse, "load_sse");
    for (int tlb = 0; tlb < 2; tlb++) {
      names.put(r.walkRead[tlb], "walk_read" + tlb);
      names.put(r.walkWrite[tlb], "walk_write" + tlb);
      names.put(r.walkExecute[tlb], "walk_execute" + tlb);
    }
    String name = names.get(target);
    return name == null ? "elsewhere" : name;
  }

  @Test
  void theListingIsWhatItWas() throws Exception {
    assumeTrue(HostCpu.hasBmi2() && HostCpu.hasAvx());
    StringBuilder all = new StringBuilder();
    for (String sample : SAMPLES) {
      all.append(listing(sample));
    }
    if (Boolean.getBoolean("parhelion.golden.update")) {
      Path root = Path.of(System.getProperty("parhelion.root"));
      Path file = root.resolve("cpu/src/test/resources" + GOLDEN);
      Files.createDirectories(file.getParent());
      Files.writeString(file, all);
      return;
    }
    try (InputStream in = EmittedCodeTest.class.getResourceAsStream(GOLDEN)) {
      assertNotNull(in, "there is no listing: -Dparhelion.golden.update=true writes it");
      assertEquals(new String(in.readAllBytes(), StandardCharsets.UTF_8), all.toString());
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  // --- the rules ---

  private static boolean isBranch(Insn insn) {
    for (Operand operand : insn.opcode.operands()) {
      if (operand.kind() == Operand.Kind.J) {
        return true;
      }
    }
    return false;
  }

  /** Checks all of a region's code; gives how many accesses of guest memory there are. */
  private static int check(Region region, RegionCache regions) {
    byte[] code = hostCode(region);
    Decoder decoder = Decoder.ofEverything();
    Insn insn = new Insn();
    List<Integer> starts = new ArrayList<>();
    Set<Integer> entries = new TreeSet<>(List.of(0, region.checked));
    Set<Integer> fromJava = new TreeSet<>(entries);
    for (int at = 0; at < code.length; at += insn.length) {
      assertEquals(Decoder.OK, decoder.decode(code, at, code.length - at, 64, insn));
      starts.add(at);
      if (isBranch(insn)) {
        entries.add((int) (at + insn.length + insn.imm));
      }
    }
    for (int i = 0; i < region.sites.length; i += Region.SITE_INTS) {
      int kind = region.sites[i] & Region.KIND;
      if (kind != Region.CHAIN && kind != Region.GROUP) {
        fromJava.add(region.sites[i + 2]);
        fromJava.add(region.sites[i + 3]);
      }
    }
    entries.addAll(fromJava);
    Map<Integer, Integer> lent = lentAt(code, starts, fromJava);
    Rules rules = new Rules(region, regions);
    for (int at : starts) {
      decoder.decode(code, at, code.length - at, 64, insn);
      if (entries.contains(at)) {
        rules.entered();
      }
      rules.lent = lent.getOrDefault(at, 0);
      rules.next(insn, at);
    }
    return rules.accesses;
  }

  /** Host registers, a bit each, that hold addends wherever control comes from, by instruction. */
  private static Map<Integer, Integer> lentAt(
      byte[] code, List<Integer> starts, Set<Integer> fromJava) {
    Map<Integer, Integer> lent = new TreeMap<>();
    fromJava.forEach(at -> lent.put(at, 0));
    Decoder decoder = Decoder.ofEverything();
    Insn insn = new Insn();
    boolean changed = true;
    while (changed) {
      changed = false;
      for (int at : starts) {
        Integer before = lent.get(at);
        if (before == null) {
          continue; // nothing comes here yet
        }
        decoder.decode(code, at, code.length - at, 64, insn);
        int after = lentAfter(insn, before);
        int next = at + insn.length;
        if (isBranch(insn) && insn.mnemonic() != Mnemonic.CALL) {
          changed |= meet(lent, (int) (next + insn.imm), after);
        }
        if (insn.mnemonic() != Mnemonic.JMP) {
          changed |= meet(lent, next, after);
        }
      }
    }
    return lent;
  }

  private static boolean meet(Map<Integer, Integer> lent, int at, int registers) {
    Integer before = lent.get(at);
    int both = before == null ? registers : before & registers;
    lent.put(at, both);
    return before == null || both != before;
  }

  private static int lentAfter(Insn insn, int before) {
    int to = Rules.written(insn);
    if (to < 9 || to > 12) {
      return before;
    }
    boolean fromScratch =
        insn.mnemonic() == Mnemonic.MOV && insn.mod == 3 && (insn.rm == 15 || insn.reg == 15);
    boolean loaded = insn.mnemonic() == Mnemonic.MOV && insn.isMemory() && Rules.isGroup(insn);
    return fromScratch || loaded ? before | 1 << to : before & ~(1 << to);
  }

  /** What is known at a place of the straight line of the code. */
  private static final class Rules {
    private final Region region;
    private final RegionCache regions;
    int accesses;

    /** A check has been passed since control may have come from elsewhere. */
    private boolean passed;

    /** R15 holds an addend; R14 the host address itself. */
    private boolean addend;

    private boolean host;

    /** The last instruction compared; RSI and RDI, as bits, hold host addresses. */
    private boolean compared;

    private int pointers;

    /** Other registers that hold addends, a bit each. */
    int lent;

    Rules(Region region, RegionCache regions) {
      this.region = region;
      this.regions = regions;
    }

    void entered() {
      passed = false;
      addend = false;
      host = false;
      compared = false;
      pointers = 0;
    }

    private void want(boolean condition, Insn insn, int at, String what) {
      assertTrue(
          condition,
          () ->
              what
                  + ": "
                  + Disassembler.disassemble(insn, at, null)
                  + " at "
                  + Integer.toHexString(at)
                  + " in the code of "
                  + Long.toHexString(region.va));
    }

    void next(Insn insn, int at) {
      Mnemonic m = insn.mnemonic();
      Opcode opcode = insn.opcode;
      want(!opcode.has(Opcode.PRIVILEGED | Opcode.IOPL), insn, at, "privileged");
      switch (m) {
        case SYSCALL,
            SYSENTER,
            INT,
            INT3,
            INT1,
            IRET,
            HLT,
            CPUID,
            RDTSC,
            RDTSCP,
            UD2,
            PUSHF,
            POPF,
            PUSH,
            POP,
            LEAVE,
            ENTER,
            RET,
            WRFSBASE,
            WRGSBASE,
            LDMXCSR,
            VLDMXCSR,
            FLDCW,
            FLDENV,
            FRSTOR,
            FXRSTOR,
            XRSTOR,
            XSETBV,
            STD,
            CLD ->
            want(false, insn, at, "not to be emitted");
        case CALL -> {
          long target = region.host + at + insn.length + insn.imm;
          boolean known =
              !insn.isMemory() && !routine(regions.routines, target).equals("elsewhere");
          want(known, insn, at, "a call");
        }
        default -> {}
      }
      want(written(insn) != 4, insn, at, "writes RSP");
      want(insn.segmentOverride != CpuState.FS, insn, at, "uses FS");
      if (opcode.has(Opcode.STRING)) {
        int wanted = m == Mnemonic.MOVS ? 3 : 1;
        want((pointers & wanted) == wanted, insn, at, "a string without host pointers");
        accesses++;
      } else if (insn.isMemory() && m != Mnemonic.LEA && m != Mnemonic.NOP) {
        memory(insn, at);
      }
      effect(insn);
    }

    private void memory(Insn insn, int at) {
      if (insn.segmentOverride == CpuState.GS) {
        want(insn.base != 4, insn, at, "uses RSP");
        // What GS gives is indexed by scratch registers only.
        boolean own = insn.base == Insn.NONE || insn.base >= 14;
        want(
            own && (insn.index == Insn.NONE || insn.index >= 14),
            insn,
            at,
            "an index of the guest's");
        return;
      }
      accesses++;
      want(insn.base != 4, insn, at, "uses RSP");
      boolean good = (insn.base == 15 || insn.index == 15) && addend || insn.base == 14 && host;
      want(good && passed || isLent(insn.base) || isLent(insn.index), insn, at, "not checked");
    }

    private boolean isLent(int register) {
      return register >= 0 && (lent >>> register & 1) != 0;
    }

    private void effect(Insn insn) {
      Mnemonic m = insn.mnemonic();
      int to = written(insn);
      if (m == Mnemonic.JCC) {
        passed |= compared;
      }
      compared = m == Mnemonic.CMP || m == Mnemonic.TEST;
      if (to == 15) {
        boolean group = isGroup(insn);
        boolean withBase = addend && m == Mnemonic.LEA && insn.base == 15 && insn.disp == 0;
        addend = withBase || m == Mnemonic.MOV && insn.isMemory() && (isAddend(insn) || group);
        passed |= group;
      } else if (to == 14) {
        host = m == Mnemonic.LEA && insn.index == 15 && addend;
      }
      if (m == Mnemonic.ADD
          && (to == 6 || to == 7)
          && (insn.isMemory() || insn.reg == 15 || insn.rm == 15)) {
        pointers |= to == 7 ? 1 : 2;
      }
    }

    private static boolean isGroup(Insn insn) {
      for (int slot = 0; slot < Groups.INDEXED + Groups.SUMS; slot++) {
        if (insn.base == Insn.NONE && insn.disp == NativeState.groupAddend(slot)) {
          return true;
        }
      }
      return false;
    }

    private static boolean isAddend(Insn insn) {
      long offset = insn.disp - NativeState.tlb(0);
      if (offset < 0 || offset >= 2L * Tlb.BYTES) {
        return false;
      }
      long field = (offset >= Tlb.BYTES ? offset - Tlb.BYTES : offset) & Tlb.ENTRY_BYTES - 1;
      return field == Tlb.ADDEND || field == Tlb.HOST_PAGE;
    }

    /** The general register that is written, or -1. */
    private static int written(Insn insn) {
      switch (insn.mnemonic()) {
        case CMP, TEST, BT, JCC, JMP, CALL, MUL, DIV, IDIV, PUSH -> {
          return -1;
        }
        default -> {}
      }
      Operand[] operands = insn.opcode.operands();
      if (operands.length == 0) {
        return -1;
      }
      int register =
          switch (operands[0].kind()) {
            case G -> insn.reg;
            case E, R -> insn.mod == 3 ? insn.rm : -1;
            case Z -> insn.opcodeReg;
            case B -> insn.vvvv;
            default -> -1;
          };
      boolean high = insn.size(0) == 1 && register >= 0 && Treatment.isHighByte(insn, register);
      return high ? -1 : register;
    }
  }

  /** What was written for a program is written once more, as what has run is patched. */
  private static int checkAll(Cpu cpu, RegionCache regions) {
    Set<Region> all = new LinkedHashSet<>();
    try {
      for (int site = 0; ; site++) {
        all.add(regions.ofSite(site));
      }
    } catch (IllegalStateException | IndexOutOfBoundsException e) {
      // That was the last.
    }
    int accesses = 0;
    for (Region region : all) {
      try {
        Region again = regions.translate(cpu, region.pa, region.va, region.key);
        accesses += again == null ? 0 : check(again, regions);
      } catch (GuestFault f) {
        // Its second page is not there any more.
      }
    }
    return accesses;
  }

  @Test
  void everyAccessIsCheckedAndNothingTouchesTheHost() {
    int accesses = 0;
    for (int i = 0; i < (FAST ? 8 : 40); i++) {
      Twin.Variant variant = new Twin.Variant(true, i % 3 == 0, i % 6 == 0, i % 2 == 0);
      try (Twin twin = new Twin(SEED * 31_337 + i, variant)) {
        twin.run(2_000);
        RegionCache regions = twin.rewriter.code.regions();
        assertNotNull(regions);
        accesses += checkAll(twin.rewriter.cpu, regions);
      }
    }
    assertTrue(accesses > (FAST ? 500 : 2_000), "accesses: " + accesses);
  }
}

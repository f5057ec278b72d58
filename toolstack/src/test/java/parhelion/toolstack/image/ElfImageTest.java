package parhelion.toolstack.image;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import parhelion.abi.XenFeature;

class ElfImageTest {
  private static final byte[] DATA = Samples.data(5000, 9);

  private static ElfImage parse(byte[] file) {
    return ElfImage.parse(ByteBuffer.wrap(file), "vmlinux");
  }

  private static XenNotes notes(List<Samples.Note> notes) {
    return parse(Samples.elf(notes, DATA, true)).xenNotes();
  }

  /** The refusal of a good kernel with something changed. */
  private static String refusal(Consumer<ByteBuffer> change) {
    ByteBuffer file = ByteBuffer.wrap(Samples.linux(DATA)).order(ByteOrder.LITTLE_ENDIAN);
    change.accept(file);
    return String.valueOf(
        assertThrows(ImageException.class, () -> parse(file.array()).xenNotes()).getMessage());
  }

  private static String refusal(List<Samples.Note> notes) {
    return String.valueOf(assertThrows(ImageException.class, () -> notes(notes)).getMessage());
  }

  private static List<Samples.Note> linuxWith(int type, Samples.Note note) {
    List<Samples.Note> notes = new ArrayList<>(Samples.linuxNotes());
    notes.removeIf(n -> n.name().equals("Xen") && n.type() == type);
    notes.add(note);
    return notes;
  }

  private static void checkLinux(XenNotes notes) {
    assertEquals("linux", notes.guestOs());
    assertEquals("2.6", notes.guestVersion());
    assertEquals("xen-3.0", notes.xenVersion());
    assertEquals("generic", notes.loader());
    assertEquals("yes", notes.paeMode());
    assertEquals(0xffffffff81000010L, notes.entryVa());
    assertEquals(OptionalLong.empty(), notes.hypercallPageVa());
    assertEquals(0xffffffff80000000L, notes.virtBase());
    assertEquals(0, notes.paddrOffset());
    assertEquals(OptionalLong.of(0x8000000000L), notes.initP2mVa());
    assertEquals(OptionalLong.of(0xffff800000000000L), notes.hvStartLow());
    assertEquals(Set.of(XenFeature.WRITABLE_PAGE_TABLES), notes.required());
    assertTrue(notes.supported().contains(XenFeature.PAE_PGDIR_ABOVE_4GB));
    assertEquals(0x8811, notes.supportedMask());
    assertEquals(Optional.of(new XenNotes.L1MfnValid(1, 1)), notes.l1MfnValid());
    assertTrue(notes.suspendCancel());
    assertTrue(notes.unmappedInitrd());
    assertEquals(OptionalLong.of(0x1000850), notes.phys32Entry());
    assertEquals(0xffffffff81000000L, notes.kernelStartVa());
    assertEquals(0xffffffff81000000L + DATA.length + 0x2000, notes.kernelEndVa());
    assertEquals(0xffffffff81234000L, notes.vaOf(0x1234000));
    assertEquals(0x1234000, notes.guestPaOf(0x1234000));
  }

  @Test
  void linuxNotesAreReadFromTheNoteSegment() {
    checkLinux(parse(Samples.elf(Samples.linuxNotes(), DATA, true)).xenNotes());
  }

  @Test
  void notesAreReadFromASectionWhereNoSegmentHasThem() {
    checkLinux(parse(Samples.elf(Samples.linuxNotes(), DATA, false)).xenNotes());
  }

  @Test
  void segmentsSayWhatGoesWhere() {
    List<ElfImage.Segment> loadable = parse(Samples.linux(DATA)).loadable();
    assertEquals(
        List.of(
            new ElfImage.Segment(
                1,
                7,
                0xffffffff81000000L,
                0x1000000,
                Samples.ELF_DATA_AT,
                DATA.length,
                DATA.length + 0x2000)),
        loadable);
  }

  @Test
  void xensDefaultsFillInForAKernelThatSaysLittle() {
    XenNotes notes =
        notes(List.of(Samples.Note.text(8, "generic"), Samples.Note.text(5, "xen-3.0")));
    assertEquals(0, notes.virtBase());
    assertEquals(0, notes.paddrOffset());
    assertEquals(0x1000000, notes.entryVa());
    assertEquals(0x1000000, notes.kernelStartVa());
    assertEquals(OptionalLong.empty(), notes.initP2mVa());
    assertEquals(false, notes.unmappedInitrd());
  }

  @Test
  void numbersMayBeOfFourBytesAndHypercallPagesAreFound() {
    List<Samples.Note> notes = linuxWith(2, Samples.Note.number(2, 8, 0xffffffff81001000L));
    assertEquals(OptionalLong.of(0xffffffff81001000L), notes(notes).hypercallPageVa());
    List<Samples.Note> small = linuxWith(16, Samples.Note.number(16, 1, 1));
    assertTrue(notes(small).unmappedInitrd());
  }

  @Test
  void theOlderGuestStringIsUnderstood() {
    String text =
        "GUEST_OS=Mini-OS,XEN_VER=xen-3.0,VIRT_BASE=0x1000000,VIRT_ENTRY=0x1000100,"
            + "HYPERCALL_PAGE=0x1,PAE=yes[extended-cr3],LOADER=generic";
    byte[] section = (text + "\0").getBytes(StandardCharsets.US_ASCII);
    byte[] file = Samples.elf(List.of(), Samples.data(9000, 1), false);
    ByteBuffer elf = ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN);
    System.arraycopy(section, 0, file, Samples.ELF_DATA_AT + 100, section.length);
    byte[] name = "__xen_guest\0".getBytes(StandardCharsets.US_ASCII);
    System.arraycopy(name, 0, file, Samples.ELF_DATA_AT + 1000, name.length);
    int sections = (int) elf.getLong(40);
    elf.putLong(sections + 256 + 24, Samples.ELF_DATA_AT + 1000).putLong(sections + 288, 100);
    elf.putInt(sections + 64, 0).putInt(sections + 68, 1);
    elf.putLong(sections + 88, Samples.ELF_DATA_AT + 100).putLong(sections + 96, section.length);
    XenNotes notes = parse(file).xenNotes();
    assertEquals("Mini-OS", notes.guestOs());
    assertEquals(0x1000000, notes.virtBase());
    assertEquals(0x1000000, notes.paddrOffset()); // the older default
    assertEquals(0x1000100, notes.entryVa());
    assertEquals(OptionalLong.of(0x1001000), notes.hypercallPageVa());
  }

  @Test
  void whatIsNotForThisMachineIsRefusedByName() {
    assertTrue(refusal(f -> f.putShort(18, (short) 183)).contains("AArch64"));
    assertTrue(refusal(f -> f.putShort(18, (short) 3)).contains("32-bit x86"));
    assertTrue(refusal(f -> f.put(4, (byte) 1)).contains("32-bit ELF"));
    assertTrue(refusal(f -> f.put(5, (byte) 2)).contains("big-endian"));
    assertTrue(refusal(f -> f.putShort(16, (short) 1)).contains("object file"));
    assertTrue(refusal(f -> f.put(0, (byte) 0)).contains("not an ELF file"));
  }

  @Test
  void headersThatLeadOutsideTheFileAreRefused() {
    assertTrue(refusal(f -> f.putLong(32, -1)).contains("outside the file"));
    assertTrue(refusal(f -> f.putLong(32, Long.MAX_VALUE)).contains("outside the file"));
    assertTrue(refusal(f -> f.putShort(56, (short) -1)).contains("65535 program headers"));
    assertTrue(refusal(f -> f.putShort(54, (short) 32)).contains("of 32 bytes"));
    assertTrue(refusal(f -> f.putLong(64 + 8, 1L << 40)).contains("refers outside"));
    assertTrue(refusal(f -> f.putLong(64 + 32, -1)).contains("refers outside"));
    assertTrue(refusal(f -> f.putLong(64 + 40, 0)).contains("impossible sizes"));
    assertTrue(refusal(f -> f.putLong(64 + 40, Long.MAX_VALUE)).contains("impossible"));
    assertTrue(refusal(f -> f.putLong(64 + 24, -4096)).contains("impossible"));
  }

  @Test
  void aKernelThatXenWouldRefuseIsRefused() {
    assertTrue(refusal(List.of()).contains("no Xen ELF notes"));
    assertTrue(refusal(linuxWith(5, Samples.Note.text(5, "xen-2.0"))).contains("xen-2.0"));
    List<Samples.Note> other =
        List.of(Samples.Note.text(8, "special"), Samples.Note.text(5, "xen-3.0"));
    assertTrue(refusal(other).contains("special"));
    assertTrue(refusal(linuxWith(10, Samples.Note.text(10, "!warp_drive"))).contains("warp_drive"));
    assertTrue(refusal(linuxWith(1, Samples.Note.number(1, 8, 5))).contains("entry"));
    assertTrue(
        refusal(linuxWith(15, Samples.Note.number(15, 8, 0xffffffff81000000L)))
            .contains("INIT_P2M"));
    assertTrue(
        refusal(linuxWith(2, Samples.Note.number(2, 8, 0xffffffff81000001L)))
            .contains("hypercall page"));
    List<Samples.Note> noBase = new ArrayList<>(Samples.linuxNotes());
    noBase.removeIf(n -> n.type() == 3);
    assertTrue(refusal(noBase).contains("PADDR_OFFSET without VIRT_BASE"));
  }

  @Test
  void damagedKernelsAreRefusedOrReadButNothingElse() {
    byte[] good = Samples.linux(Samples.data(600, 4));
    int refused =
        Corruption.fuzz(
            good,
            ImageException.class,
            bad -> {
              ElfImage elf = parse(bad);
              KernelSymbols.of(elf, null).describe(0xffffffff81000010L);
              elf.xenNotes();
            });
    assertTrue(refused > 200, "refused only " + refused);
  }
}

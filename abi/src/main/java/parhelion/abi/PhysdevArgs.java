package parhelion.abi;

import parhelion.abi.Field.S32;
import parhelion.abi.Field.U16;
import parhelion.abi.Field.U32;
import parhelion.abi.Field.U64;
import parhelion.abi.Field.U8;

/** Arguments of {@link PhysdevOp} that a domU may send ({@code physdev.h}), copied in by value. */
public final class PhysdevArgs {
  private PhysdevArgs() {}

  /** {@code struct physdev_irq_status_query}: OUT: {@link #FLAGS}, of {@link XenIrqStatus}. */
  public record PhysdevIrqStatusQuery(long irq, long flags) {
    public static final Struct STRUCT = Struct.of("physdev_irq_status_query", "physdev.h", 8);
    public static final U32 IRQ = STRUCT.u32("irq", 0);
    public static final U32 FLAGS = STRUCT.u32("flags", 4);

    public static PhysdevIrqStatusQuery read(Bytes b, long at) {
      return new PhysdevIrqStatusQuery(IRQ.get(b, at), FLAGS.get(b, at));
    }
  }

  /** {@code struct physdev_set_iopl}: the virtual I/O privilege level, 0 to 3. */
  public record PhysdevSetIopl(long iopl) {
    public static final Struct STRUCT = Struct.of("physdev_set_iopl", "physdev.h", 4);
    public static final U32 IOPL = STRUCT.u32("iopl", 0);

    public static PhysdevSetIopl read(Bytes b, long at) {
      return new PhysdevSetIopl(IOPL.get(b, at));
    }
  }

  /** {@code struct physdev_set_iobitmap}: the ports that user mode may touch. */
  public record PhysdevSetIobitmap(long bitmap, long nrPorts) {
    public static final Struct STRUCT = Struct.of("physdev_set_iobitmap", "physdev.h", 16);
    public static final U64 BITMAP = STRUCT.u64("bitmap", 0);
    public static final U32 NR_PORTS = STRUCT.u32("nr_ports", 8);

    public static PhysdevSetIobitmap read(Bytes b, long at) {
      return new PhysdevSetIobitmap(BITMAP.get(b, at), NR_PORTS.get(b, at));
    }
  }

  /** {@code struct physdev_apic}: reads or writes an I/O APIC. OUT: {@link #VALUE}. */
  public record PhysdevApic(long apicPhysbase, long reg, long value) {
    public static final Struct STRUCT = Struct.of("physdev_apic", "physdev.h", 16);
    public static final U64 APIC_PHYSBASE = STRUCT.u64("apic_physbase", 0);
    public static final U32 REG = STRUCT.u32("reg", 8);
    public static final U32 VALUE = STRUCT.u32("value", 12);

    public static PhysdevApic read(Bytes b, long at) {
      return new PhysdevApic(APIC_PHYSBASE.get(b, at), REG.get(b, at), VALUE.get(b, at));
    }
  }

  /** {@code struct physdev_irq}: OUT: {@link #VECTOR}. */
  public record PhysdevIrq(long irq, long vector) {
    public static final Struct STRUCT = Struct.of("physdev_irq", "physdev.h", 8);
    public static final U32 IRQ = STRUCT.u32("irq", 0);
    public static final U32 VECTOR = STRUCT.u32("vector", 4);

    public static PhysdevIrq read(Bytes b, long at) {
      return new PhysdevIrq(IRQ.get(b, at), VECTOR.get(b, at));
    }
  }

  /** {@code struct physdev_eoi}: end of interrupt. */
  public record PhysdevEoi(long irq) {
    public static final Struct STRUCT = Struct.of("physdev_eoi", "physdev.h", 4);
    public static final U32 IRQ = STRUCT.u32("irq", 0);

    public static PhysdevEoi read(Bytes b, long at) {
      return new PhysdevEoi(IRQ.get(b, at));
    }
  }

  /** {@code struct physdev_map_pirq}: OUT: {@link #PIRQ}. */
  public record PhysdevMapPirq(
      int domid, int type, int index, int pirq, int bus, int devfn, int entryNr, long tableBase) {
    public static final Struct STRUCT = Struct.of("physdev_map_pirq", "physdev.h", 40);
    public static final U16 DOMID = STRUCT.u16("domid", 0);
    public static final S32 TYPE = STRUCT.s32("type", 4);
    public static final S32 INDEX = STRUCT.s32("index", 8);
    public static final S32 PIRQ = STRUCT.s32("pirq", 12);
    public static final S32 BUS = STRUCT.s32("bus", 16);
    public static final S32 DEVFN = STRUCT.s32("devfn", 20);
    public static final S32 ENTRY_NR = STRUCT.s32("entry_nr", 24);
    public static final U64 TABLE_BASE = STRUCT.u64("table_base", 32);

    public static PhysdevMapPirq read(Bytes b, long at) {
      return new PhysdevMapPirq(
          DOMID.get(b, at),
          TYPE.get(b, at),
          INDEX.get(b, at),
          PIRQ.get(b, at),
          BUS.get(b, at),
          DEVFN.get(b, at),
          ENTRY_NR.get(b, at),
          TABLE_BASE.get(b, at));
    }
  }

  /** {@code struct physdev_unmap_pirq}: undoes it. */
  public record PhysdevUnmapPirq(int domid, int pirq) {
    public static final Struct STRUCT = Struct.of("physdev_unmap_pirq", "physdev.h", 8);
    public static final U16 DOMID = STRUCT.u16("domid", 0);
    public static final S32 PIRQ = STRUCT.s32("pirq", 4);

    public static PhysdevUnmapPirq read(Bytes b, long at) {
      return new PhysdevUnmapPirq(DOMID.get(b, at), PIRQ.get(b, at));
    }
  }

  /**
   * {@code struct physdev_pirq_eoi_gmfn}: a page of bits that tell which interrupts need an EOI.
   */
  public record PhysdevPirqEoiGmfn(long gmfn) {
    public static final Struct STRUCT = Struct.of("physdev_pirq_eoi_gmfn", "physdev.h", 8);
    public static final U64 GMFN = STRUCT.u64("gmfn", 0);

    public static PhysdevPirqEoiGmfn read(Bytes b, long at) {
      return new PhysdevPirqEoiGmfn(GMFN.get(b, at));
    }
  }

  /** {@code struct physdev_get_free_pirq}: OUT: {@link #PIRQ}. */
  public record PhysdevGetFreePirq(int type, long pirq) {
    public static final Struct STRUCT = Struct.of("physdev_get_free_pirq", "physdev.h", 8);
    public static final S32 TYPE = STRUCT.s32("type", 0);
    public static final U32 PIRQ = STRUCT.u32("pirq", 4);

    public static PhysdevGetFreePirq read(Bytes b, long at) {
      return new PhysdevGetFreePirq(TYPE.get(b, at), PIRQ.get(b, at));
    }
  }

  /** {@code struct physdev_setup_gsi}: trigger and polarity. */
  public record PhysdevSetupGsi(int gsi, int triggering, int polarity) {
    public static final Struct STRUCT = Struct.of("physdev_setup_gsi", "physdev.h", 8);
    public static final S32 GSI = STRUCT.s32("gsi", 0);
    public static final U8 TRIGGERING = STRUCT.u8("triggering", 4);
    public static final U8 POLARITY = STRUCT.u8("polarity", 5);

    public static PhysdevSetupGsi read(Bytes b, long at) {
      return new PhysdevSetupGsi(GSI.get(b, at), TRIGGERING.get(b, at), POLARITY.get(b, at));
    }
  }
}

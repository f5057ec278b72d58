package parhelion.toolstack.hvm;

import java.util.List;
import org.jspecify.annotations.Nullable;
import parhelion.abi.HvmParam;
import parhelion.backends.console.ConsoleSink;
import parhelion.pc.PcMachine;
import parhelion.pc.PcMemory;
import parhelion.toolstack.device.DeviceConfig;
import parhelion.toolstack.device.PcDevices;
import parhelion.toolstack.device.PcInterface;
import parhelion.toolstack.link.DomainServices;
import parhelion.xen.Domain;
import parhelion.xen.DomainConfig;
import parhelion.xen.DomainListener;
import parhelion.xen.HvmDomain;
import parhelion.xen.Hypervisor;

/**
 * Xen's interface under an emulated PC: a hypervisor whose one domain the PC is, with xenstore,
 * console and the backends of its devices as a paravirtual domain has them. What the hypervisor
 * needs of memory is machine memory that the PC cannot address; what the domain is to see of it is
 * shown at guest frames that it asks for.
 */
public final class XenUnderPc implements AutoCloseable {
  /** Frames beside the table of machine frames: shared pages, grant table, page tables. */
  private static final int OWN_FRAMES = 256;

  /** Guest frames of the two rings: below the local APICs' registers, where no device is. */
  private static final long STORE_GFN = 0xfeffc;

  private static final long CONSOLE_GFN = 0xfeffd;

  private final Hypervisor hypervisor;
  private final Domain domain;
  private final DomainServices services;

  /** How many frames a machine needs beyond those of its memory. */
  public static int ownFrames(long memoryBytes) {
    // Eight bytes for each frame of machine memory, the gap below 4 GiB included.
    long frames = (memoryBytes >>> 12) + ((PcMemory.GAP_END - PcMemory.GAP_START) >>> 12);
    return (int) (frames >>> 9) + OWN_FRAMES;
  }

  /**
   * Puts the interface under a machine that has been made with {@link #ownFrames} and does not run
   * yet.
   *
   * @param devices the PC's emulated devices, which software may ask to be taken away; null if it
   *     has none
   * @param output takes what is written to Xen's console
   */
  public XenUnderPc(
      PcMachine machine,
      DomainServices.Description description,
      @Nullable PcDevices devices,
      ConsoleSink output) {
    PcMemory ram = machine.ram();
    XenMachine under = new XenMachine(machine, devices == null ? null : devices.bus());
    hypervisor =
        Hypervisor.under(
            ram.machine(),
            machine.code(),
            new MachineClockOfXen(machine.clock()),
            ram.firstOwnFrame(),
            under);
    long pages = 0;
    for (long gfn = 0; gfn <= ram.lastFrame(); gfn++) {
      pages += ram.isMemory(gfn) ? 1 : 0;
    }
    domain =
        hypervisor.createDomain(
            new DomainConfig(
                machine.vcpus().size(),
                pages,
                false,
                new byte[16],
                machine.vcpus().getFirst().cpu().model,
                under));
    for (long gfn = 0; gfn <= ram.lastFrame(); gfn++) {
      if (ram.isMemory(gfn)) {
        hypervisor.frames().adopt(domain, gfn);
      }
    }
    HvmDomain hvm = domain.vcpus().getFirst().hvm();
    under.become(domain);
    long storeMfn = ringAt(hvm, STORE_GFN);
    long consoleMfn = ringAt(hvm, CONSOLE_GFN);
    services = new DomainServices(domain, description, storeMfn, consoleMfn, output);
    domain.grants().grantReserved(CONSOLE_GFN, STORE_GFN);
    hvm.param(HvmParam.STORE_PFN, STORE_GFN);
    hvm.param(HvmParam.STORE_EVTCHN, services.storePort());
    hvm.param(HvmParam.CONSOLE_PFN, CONSOLE_GFN);
    hvm.param(HvmParam.CONSOLE_EVTCHN, services.consolePort());
    if (devices != null) {
      PlatformDevice.plug(machine, devices);
    }
    hypervisor.setListener(
        new DomainListener() {
          @Override
          public void shutDown(Domain d) {
            machine.finish(PcMachine.End.OFF);
          }
        });
    machine.offer(new XenInterface(domain, hvm, under));
    domain.vcpus().getFirst().state.initialised = true;
    domain.vcpus().getFirst().up();
  }

  private long ringAt(HvmDomain hvm, long gfn) {
    long mfn = hypervisor.frames().allocateShared(domain);
    if (!hvm.place(gfn, mfn)) {
      throw new IllegalStateException("no guest frame " + gfn);
    }
    return mfn;
  }

  /** Plugs in those of the devices that are served by split drivers. */
  public void attach(List<DeviceConfig> devices) {
    for (DeviceConfig device : devices) {
      if (device.isSplit(PcInterface.XEN)) {
        var unused = services.attach(device);
      }
    }
  }

  public Hypervisor hypervisor() {
    return hypervisor;
  }

  public Domain domain() {
    return domain;
  }

  /** Store, console and backends. */
  public DomainServices services() {
    return services;
  }

  /** Lets go of what backends hold; the machine must not be running, and is closed after this. */
  @Override
  public void close() {
    services.close();
    hypervisor.close();
  }
}

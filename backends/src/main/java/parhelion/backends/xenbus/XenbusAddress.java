package parhelion.backends.xenbus;

/**
 * Which device: its kind, the guest that uses it, and its number there. The backend is dom0.
 *
 * @param kind as in the store's paths: {@code vbd}, {@code vif}, {@code 9pfs} ...
 * @param domid the frontend's domain
 * @param devid the number; for disks the device number (51712 is xvda), for the others from 0
 */
public record XenbusAddress(String kind, int domid, int devid) {
  public String frontend() {
    return "/local/domain/" + domid + "/device/" + kind + '/' + devid;
  }

  public String backend() {
    return "/local/domain/0/backend/" + kind + '/' + domid + '/' + devid;
  }

  String toolstack() {
    return "/libxl/" + domid + "/device/" + kind + '/' + devid;
  }

  String error() {
    return "/local/domain/0/error/backend/" + kind + '/' + domid + '/' + devid + "/error";
  }
}

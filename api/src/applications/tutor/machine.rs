//! Requirements on the machine of an app server.

use shared_types::applications::MachineNeeds;
use shared_types::applications::tutor::{self, TutorSettings, lists};

/// The minimum in Tutor's documentation. With it, migrations may be killed for lack of memory.
pub const LEAST: MachineNeeds = MachineNeeds { memory_mb: 4096, disk_gb: 25, has_own_kernel: true };

/// The requested machine: containers need the machine's own kernel; building images needs more disk than pulling them.
pub fn needs(settings: &TutorSettings) -> MachineNeeds {
    let is_built = !lists::words(&settings.images_to_build).is_empty();
    let wanted = tutor::TYPE.machine;
    MachineNeeds { disk_gb: if is_built { wanted.disk_gb } else { LEAST.disk_gb }, ..wanted }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::applications::tutor::testing::sample;

    #[test]
    fn a_machine_has_its_own_kernel_8_gb_of_memory_and_disk_for_what_is_built() {
        assert_eq!(needs(&sample()), MachineNeeds { memory_mb: 8192, disk_gb: 25, has_own_kernel: true });
        let built = TutorSettings { images_to_build: "openedx".into(), ..sample() };
        assert_eq!(needs(&built), MachineNeeds { memory_mb: 8192, disk_gb: 40, has_own_kernel: true });
    }
}

//! Where a model runs.

use candle_core::{DType, Device};
use modelzoo_plugin_api::{self as api, Calibration, Host, LoadOptions, LogLevel, Precision};

/// Where a network runs, and with how many threads.
#[derive(Clone, Debug)]
pub struct Placement {
    /// The device that holds the weights and computes.
    pub device: Device,
    /// Threads that one run may use on a CPU, at least 1.
    pub threads: usize,
    /// What a network's sums are made from. On a graphics processor `bf16` means weights and values of that type, and `auto`
    /// means `f32`.
    pub precision: Precision,
    /// What is known of the values in networks, for [`Precision::Int8`]; where nothing is, they take note of them.
    pub calibration: Calibration,
}

impl Placement {
    /// What the user asked for, or the CPU where that cannot be had: see [`select`].
    pub fn from_options(options: &LoadOptions) -> Self {
        Self {
            device: select(options.device, &options.host),
            threads: options.threads.unwrap_or_else(|| options.host.threads()).max(1),
            precision: options.precision,
            calibration: options.calibration.clone(),
        }
    }

    /// The type of weights and values on Candle's operators: on a CPU they compute in `f32` only, as there is nothing to win.
    pub(crate) fn operators_type(&self) -> DType {
        match self.precision {
            Precision::Bf16 if !self.device.is_cpu() => DType::BF16,
            _ => DType::F32,
        }
    }

    /// The CPU with as many threads as it has cores.
    pub fn cpu() -> Self {
        Self {
            device: Device::Cpu,
            threads: Host::default().threads(),
            precision: Precision::F32,
            calibration: Calibration::default(),
        }
    }
}

/// Opens the device that was asked for.
///
/// `auto` takes the first of CUDA, Metal and CPU that works. A device that was asked for by name and cannot be had is
/// replaced by the CPU, with a warning through the host: predictions are the same, only slower.
pub fn select(request: api::Device, host: &Host) -> Device {
    let opened = match request {
        api::Device::Auto => return first_working(host),
        api::Device::Cpu => return Device::Cpu,
        api::Device::Cuda(number) => cuda(number),
        api::Device::Metal => metal(),
        other => Err(format!("this plugin was built before {other} was known")),
    };
    opened.unwrap_or_else(|reason| {
        host.log(
            LogLevel::Warn,
            format!("{request} cannot be used, the model runs on the CPU: {reason}"),
        );
        Device::Cpu
    })
}

/// The device's name as users write it: `cpu`, `cuda:0`, `metal`.
pub fn name(device: &Device) -> String {
    match device.location() {
        candle_core::DeviceLocation::Cpu => "cpu".to_owned(),
        candle_core::DeviceLocation::Cuda { gpu_id } => format!("cuda:{gpu_id}"),
        candle_core::DeviceLocation::Metal { .. } => "metal".to_owned(),
    }
}

fn first_working(host: &Host) -> Device {
    let attempts = [("cuda:0", cuda(0)), ("metal", metal())];
    for (name, opened) in attempts {
        match opened {
            Ok(device) => return device,
            Err(reason) => host.log(LogLevel::Debug, format!("{name} is not used: {reason}")),
        }
    }
    Device::Cpu
}

fn cuda(number: usize) -> Result<Device, String> {
    if !candle_core::utils::cuda_is_available() {
        return Err("this plugin was built without the feature `cuda`".to_owned());
    }
    Device::new_cuda(number).map_err(|error| error.to_string())
}

fn metal() -> Result<Device, String> {
    if !candle_core::utils::metal_is_available() {
        return Err("this plugin was built without the feature `metal`".to_owned());
    }
    Device::new_metal(0).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_request_gets_a_device_that_works() {
        let host = Host::default();
        for request in [
            api::Device::Auto,
            api::Device::Cpu,
            api::Device::Cuda(99),
            api::Device::Metal,
        ] {
            let device = select(request, &host);
            let ones = candle_core::Tensor::ones(2, DType::F32, &device).unwrap();
            assert_eq!(ones.sum_all().unwrap().to_scalar::<f32>().unwrap(), 2.0);
        }
        assert_eq!(name(&select(api::Device::Cpu, &host)), "cpu");
    }

    #[test]
    fn threads_are_the_user_s_or_the_host_s_and_never_none() {
        let mut options = LoadOptions::default();
        options.threads = Some(0);
        assert_eq!(Placement::from_options(&options).threads, 1);
        options.threads = Some(3);
        assert_eq!(Placement::from_options(&options).threads, 3);
        options.threads = None;
        assert!(Placement::from_options(&options).threads >= 1);
    }
}
